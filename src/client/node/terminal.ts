/**
 * Asks questions on the terminal, on stderr, so that stdout has only the program's results.
 */
import type { Readable, Writable } from "node:stream";
import { CannotPrompt } from "../errors.ts";

export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly output: Writable;
}

/** Reads one line, without an echo if `hidden`. Fails with CannotPrompt at the end of the input. */
export async function askLine(
  { input, output }: Terminal,
  question: string,
  { hidden = false, signal }: { readonly hidden?: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const { createInterface } = await import("node:readline");
  const { Writable } = await import("node:stream");
  const shown = new Writable({
    write: (chunk, _encoding, done) => {
      if (!hidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: shown, terminal: input.isTTY === true, historySize: 0 });
  // Only now, when the terminal no longer echoes by itself.
  output.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      lines.once("line", (line) => {
        signal.removeEventListener("abort", onAbort);
        resolve(line);
      });
      lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
      lines.once("close", () => reject(new CannotPrompt("The input ended.")));
    });
  } finally {
    lines.close();
    if (hidden) output.write("\n");
  }
}
