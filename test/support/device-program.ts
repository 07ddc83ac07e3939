/**
 * A program that logs in with the real Python client, in a process of its own: what it prints while it waits for a
 * person, and what it reports at its end. Older clients run on the same interpreter, from folders of their own.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { eventually } from "./eventually.ts";
import type { Cleanup } from "./folders.ts";
import { program } from "./python.ts";

const SCRIPT = fileURLToPath(new URL("../real/device_client.py", import.meta.url));
const PRINTED = /minutes to visit this URL\s+(\S+)\s+and enter the code:\s+(\S+)/;

interface Prompt {
  readonly url: string;
  readonly userCode: string;
}

export interface DeviceProgram {
  /** What the person is told. */
  prompt(): Promise<Prompt>;
  /** What the script reports once the login is over, and all that was printed. */
  end(): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly printed: string }>;
}

/** Where `pip install --no-deps --target` has put an older client. */
function folderOf(version: string): string {
  return resolve(program(".."), "clients", version);
}

/** What a test passes as `skip`: false where that client is there, else the reason. */
export function withoutClient(version: string): string | false {
  const folder = folderOf(version);
  if (existsSync(folder)) return false;
  const reason = `Tiled ${version} is not there: pip install --no-deps --target ${folder} tiled==${version}`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

export function deviceProgram(
  cleanup: Cleanup,
  url: string,
  env: Readonly<Record<string, string>>,
  version: string | null = null,
): DeviceProgram {
  const child = spawn(program("python"), [SCRIPT, url], {
    env: {
      ...process.env,
      TILED_API_KEY: undefined,
      TILED_FORCE_PROMPT: "1",
      // The person of the test has a browser, the program opens none.
      BROWSER: "true",
      PYTHONUNBUFFERED: "1",
      PYTHONWARNINGS: "ignore",
      ...(version === null ? {} : { PYTHONPATH: folderOf(version) }),
      ...env,
    },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      printed += stripVTControlCharacters(part);
    });
  }
  const closed = once(child, "close");
  cleanup(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  return {
    prompt: async () => {
      await eventually(60, async () => PRINTED.test(printed) || child.exitCode !== null);
      const [, address, userCode] = PRINTED.exec(printed) ?? [];
      if (address === undefined || userCode === undefined) throw new Error(`no prompt:\n${printed}`);
      return { url: address, userCode };
    },
    end: async () => {
      await closed;
      const report = /REPORT (.*)$/m.exec(printed)?.[1];
      if (report === undefined) throw new Error(`the program ended without a report:\n${printed}`);
      return { report: JSON.parse(report) as Record<string, unknown>, printed };
    },
  };
}
