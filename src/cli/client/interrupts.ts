/**
 * Ctrl-C in a verb that waits for a server or a person: its questions and its polling end, a file or a refresh that has begun is
 * finished, and the command exits with 128 and the signal's number. A second signal ends it at once.
 */
import { constants } from "node:os";
import type { TokenStore } from "../../client/store.ts";
import type { Terminal } from "../console/terminal.ts";

/** Milliseconds for work that has begun. */
const GRACE = 3000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The reason of an aborted call. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("Interrupted.");
    this.exitCode = exitCode;
  }
}

interface Interrupts {
  readonly signal: AbortSignal;
  /** Work to finish before the exit. */
  readonly begun: Set<Promise<unknown>>;
}

const INTERRUPTS = new WeakMap<Terminal, Interrupts>();

/** Aborted, with `Interrupted` as its reason, by the first of the process's signals. */
export function interruptSignal(terminal: Terminal): AbortSignal {
  return interruptsOf(terminal).signal;
}

/** The same store, whose locked work an interrupt waits for: an unfinished refresh would cost the login. */
export function finishing(store: TokenStore, terminal: Terminal): TokenStore {
  const { begun } = interruptsOf(terminal);
  return {
    get: (apiUri) => store.get(apiUri),
    set: (apiUri, tokens) => store.set(apiUri, tokens),
    clear: (apiUri) => store.clear(apiUri),
    lock: async (apiUri, work) => {
      const done = store.lock === undefined ? work() : store.lock(apiUri, work);
      const settled = done.catch(() => {}).finally(() => begun.delete(settled));
      begun.add(settled);
      return await done;
    },
  };
}

function interruptsOf(terminal: Terminal): Interrupts {
  const known = INTERRUPTS.get(terminal);
  if (known !== undefined) return known;
  const controller = new AbortController();
  const begun = new Set<Promise<unknown>>();
  const interrupts = { signal: controller.signal, begun };
  INTERRUPTS.set(terminal, interrupts);
  for (const name of SIGNALS) {
    terminal.events.on(name, () => {
      const code = 128 + constants.signals[name];
      if (controller.signal.aborted) return terminal.exit(code);
      controller.abort(new Interrupted(code));
      const late = new Promise((resolve) => setTimeout(resolve, GRACE).unref());
      // Questions and progress clear up in the turns before.
      void Promise.race([Promise.all(begun), late]).then(() => setImmediate(() => terminal.exit(code)));
    });
  }
  return interrupts;
}
