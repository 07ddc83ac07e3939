/**
 * A terminal of no process: what a command prints is kept, signals are sent by the test.
 */
import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import type { Terminal, View } from "../../src/cli/console/terminal.ts";
import { main } from "../../src/cli/program.ts";

interface Look {
  readonly columns?: number;
  /** Whether all three streams are a terminal. Default: false. */
  readonly terminal?: boolean;
  readonly colours?: boolean;
}

export class TestTerminal implements Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly command = ["/opt/node/bin/node", "/opt/tiled auth/bin.js"];
  readonly columns: number;
  readonly outView: View;
  readonly errView: View;
  readonly input: Readable & { readonly isTTY?: boolean };
  /** Goes to `stderr`. */
  readonly notes = new Writable({
    write: (chunk, _encoding, done) => {
      this.stderr += String(chunk);
      done();
    },
  });
  readonly events = new EventEmitter();
  stdout = "";
  stderr = "";
  logged = "";
  readonly exits: number[] = [];

  /** `input`: lines that wait on stdin. */
  constructor(env: Readonly<Record<string, string | undefined>> = {}, input = "", look: Look = {}) {
    this.env = env;
    const { columns = 100, terminal = false, colours = false } = look;
    this.columns = columns;
    this.outView = { terminal, colours };
    this.errView = { terminal, colours };
    const lines = Readable.from(input === "" ? [] : [Buffer.from(input)]);
    this.input = terminal ? Object.assign(lines, { isTTY: true }) : lines;
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
  input = "",
): Promise<Outcome> {
  const terminal = new TestTerminal(env, input);
  const code = await main(args, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}
