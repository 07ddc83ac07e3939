/**
 * A terminal of no process: what a command prints is kept, signals are sent by the test.
 */
import { EventEmitter } from "node:events";
import { main } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

export class TestTerminal implements Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly command = ["/opt/node/bin/node", "/opt/tiled auth/bin.js"];
  readonly columns = 100;
  readonly logView = { terminal: false, colours: false };
  readonly events = new EventEmitter();
  stdout = "";
  stderr = "";
  logged = "";
  readonly exits: number[] = [];

  constructor(env: Readonly<Record<string, string | undefined>> = {}) {
    this.env = env;
  }

  out(text: string): void {
    this.stdout += `${text}\n`;
    this.events.emit("out");
  }

  err(text: string): void {
    this.stderr += `${text}\n`;
  }

  log(lines: string, written: () => void): void {
    this.logged += lines;
    setImmediate(written);
  }

  lastLog(lines: string): void {
    this.logged += lines;
  }

  hungUp(): boolean {
    return false;
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  keepRunning(): void {}
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process. */
export async function tiled(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Outcome> {
  const terminal = new TestTerminal(env);
  const code = await main(args, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}
