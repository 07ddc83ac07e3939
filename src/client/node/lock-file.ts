/**
 * A lock between processes: a file that only one of them can create, beside the tokens (the Python client would delete a folder).
 * It only saves refreshes, so a process waits ten seconds at most and then goes on without it.
 */
import { randomBytes } from "node:crypto";
import { open, readFile, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

export interface LockTimes {
  /** Milliseconds to wait before going on without the lock. */
  readonly patience: number;
  /** Milliseconds after which a lock is ignored. */
  readonly lifetime: number;
}

const TIMES: LockTimes = { patience: 10_000, lifetime: 30_000 };
/** Approximate milliseconds. */
const POLL = 25;

export async function underLockFile<T>(
  path: string,
  work: () => Promise<T>,
  times: LockTimes = TIMES,
): Promise<T> {
  const mark = `${process.pid} ${hostname()} ${randomBytes(8).toString("hex")}`;
  const locked = await acquire(path, mark, times);
  try {
    return await work();
  } finally {
    if (locked) await removeIf(path, mark);
  }
}

/** False: go on without the lock. */
async function acquire(path: string, mark: string, { patience, lifetime }: LockTimes): Promise<boolean> {
  const until = performance.now() + patience;
  for (;;) {
    try {
      const file = await open(path, "wx", 0o600);
      try {
        await file.writeFile(mark);
      } finally {
        await file.close();
      }
      return true;
    } catch (error) {
      // The folder cannot be written to.
      if (!isError(error, "EEXIST")) return false;
    }
    const holder = await readFile(path, "utf8").catch(() => null);
    if (holder !== null && ((await isOlder(path, lifetime)) || hasEnded(holder)))
      await removeIf(path, holder);
    else if (performance.now() > until) return false;
    else await delay(POLL * (0.5 + Math.random()));
  }
}

/** Leaves a lock that another process has created since. */
async function removeIf(path: string, mark: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => null)) === mark) await unlink(path).catch(() => {});
}

async function isOlder(path: string, lifetime: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > lifetime;
}

/** The holder ran on this machine and has ended. */
function hasEnded(holder: string): boolean {
  const [pid, host] = holder.split(" ");
  if (host !== hostname() || !/^[1-9]\d*$/.test(pid ?? "")) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return isError(error, "ESRCH");
  }
}

export function isError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
