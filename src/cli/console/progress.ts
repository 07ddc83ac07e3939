/**
 * A status line with a spinner on stderr, on a terminal only: elsewhere nothing is written.
 */
import { printable } from "../../lib/printable.ts";
import { styleOf } from "./style.ts";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** Shows the text until the next `set` or `clear`. Clear it before anything else is printed. */
  set(text: string): void;
  clear(): void;
}

const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
const FRAME_MS = 80;
const START_OF_LINE = "\r\u001b[K";

export function progressOn({ env, errView, notes, columns }: Terminal): Progress {
  if (!errView.terminal || env["TERM"] === "dumb") return { set: () => {}, clear: () => {} };
  const { cyan } = styleOf(errView);
  let shown: string | null = null;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = () => {
    notes.write(`${START_OF_LINE}${cyan(FRAMES[frame++ % FRAMES.length] ?? "")} ${shown}`);
  };
  return {
    set: (text) => {
      // A longer line would wrap, and could not be taken back.
      const line = [...printable(text)].slice(0, Math.max(1, columns - 3)).join("");
      if (line === shown) return;
      shown = line;
      draw();
      timer ??= setInterval(draw, FRAME_MS).unref();
    },
    clear: () => {
      if (shown === null) return;
      clearInterval(timer);
      timer = undefined;
      shown = null;
      notes.write(START_OF_LINE);
    },
  };
}
