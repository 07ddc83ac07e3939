/**
 * Asks questions on the terminal, on stderr, so that stdout has only the program's results. Without a terminal it reads lines
 * from the input.
 */
import type { Readable, Writable } from "node:stream";
import { CannotPrompt } from "../errors.ts";
import { orAborted } from "../wait.ts";

export interface Terminal {
  readonly input: Input;
  readonly output: Writable;
}

/** A pipe has `ref` and `unref`: it keeps the process running only while a question waits. */
type Input = Readable & { readonly isTTY?: boolean; ref?(): unknown; unref?(): unknown };

interface Question {
  readonly hidden?: boolean;
  readonly signal: AbortSignal;
}

/** Reads one line, without an echo if `hidden`. Fails with CannotPrompt at the end of the input. */
export async function askLine(
  { input, output }: Terminal,
  question: string,
  { hidden = false, signal }: Question,
): Promise<string> {
  if (input.isTTY !== true) {
    output.write(question);
    input.ref?.();
    return await orAborted(pipedLine(input), signal).finally(() => input.unref?.());
  }
  const { createInterface } = await import("node:readline");
  const { Writable } = await import("node:stream");
  const shown = new Writable({
    write: (chunk, _encoding, done) => {
      if (!hidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: shown, terminal: true, historySize: 0 });
  // Only now, when the terminal no longer echoes by itself.
  output.write(question);
  const line = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("SIGINT", () => {
      // The signal arrives later than the rest of the input.
      lines.removeAllListeners("line");
      process.kill(process.pid, "SIGINT");
    });
    lines.once("close", () => reject(new CannotPrompt("The input ended.")));
  });
  let unfinished = true;
  try {
    const answer = await orAborted(line, signal);
    unfinished = hidden;
    return answer;
  } finally {
    lines.close();
    // The person's own line end was not shown, or not typed.
    if (unfinished) output.write("\n");
  }
}

/** The rest of the input stays there, for the next question. */
async function pipedLine(input: Readable): Promise<string> {
  const parts: Buffer[] = [];
  while (!input.readableEnded) {
    const part: unknown = input.read();
    if (part === null) await moreOf(input);
    else {
      const bytes = Buffer.from(part as Buffer);
      const end = bytes.indexOf("\n");
      parts.push(end < 0 ? bytes : bytes.subarray(0, end));
      if (end < 0) continue;
      if (end + 1 < bytes.length) input.unshift(bytes.subarray(end + 1));
      return textOf(parts);
    }
  }
  if (parts.length === 0) throw new CannotPrompt("The input ended.");
  return textOf(parts);
}

function textOf(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString("utf8").replace(/\r$/, "");
}

async function moreOf(input: Readable): Promise<void> {
  const names = ["readable", "end", "error", "close"];
  let done = () => {};
  await new Promise<void>((resolve) => {
    done = resolve;
    for (const name of names) input.once(name, done);
  });
  for (const name of names) input.off(name, done);
}
