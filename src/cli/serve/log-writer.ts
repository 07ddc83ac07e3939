/**
 * Writes the log without waiting for its reader. A terminal that is stopped (Ctrl-S) blocks the whole process, unless it is
 * opened again in non-blocking mode. A pipe calls back when its reader has taken the text.
 */
import { constants, openSync, write, writeSync } from "node:fs";
import type { WriteStream } from "node:tty";
import type { WriteLines } from "./log-buffer.ts";

const AGAIN_MS = 20;

interface LogWriter {
  readonly log: WriteLines;
  /** For the last lines of a process that ends. */
  lastLog(lines: string): void;
}

export function logWriter(stream: WriteStream & { readonly fd: number }): LogWriter {
  const fd = stream.isTTY ? reopened(stream.fd) : null;
  if (fd === null) {
    return {
      log: (lines, written) => void stream.write(lines, () => written()),
      lastLog: (lines) => void stream.write(lines),
    };
  }
  return {
    log: (lines, written) => writeAll(fd, Buffer.from(lines), written),
    lastLog: (lines) => tryOnce(fd, lines),
  };
}

/** A separate descriptor, so that other programs on the terminal are not affected. Null if the system does not allow it. */
function reopened(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

function writeAll(fd: number, bytes: Buffer, written: () => void): void {
  write(fd, bytes, (error, count) => {
    if (error?.code === "EAGAIN") setTimeout(writeAll, AGAIN_MS, fd, bytes, written);
    else if (error !== null || count === bytes.length) written();
    else writeAll(fd, bytes.subarray(count), written);
  });
}

function tryOnce(fd: number, lines: string): void {
  try {
    writeSync(fd, lines);
  } catch {
    // The log has no reader any more.
  }
}
