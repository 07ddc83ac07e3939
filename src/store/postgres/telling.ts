/**
 * Tells what commands change: the caches of this server once a command is committed, other servers by `NOTIFY` in its transaction.
 * What others tell arrives in `listener.ts`.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import type { Clock } from "../../lib/clock.ts";
import { News } from "../base/news.ts";
import type { CommandArgs, CommandName, CommandResult } from "../commands/commands.ts";
import { type Effect, effectOf, tellEffect } from "../commands/effects.ts";
import type { Connections } from "./fallback.ts";
import { Listener } from "./listener.ts";
import { CHANNEL, payloads } from "./notices.ts";
import type { Log } from "./pool.ts";

export interface TellingOptions {
  /** Makes the connection that listens to other servers' changes; null if programs write that do not tell theirs. */
  readonly listening: Connections | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs a statement on a connection that commands use. */
  run(text: string): Promise<unknown>;
}

/** What a command is about to commit. */
export interface Telling {
  readonly effect: Effect;
  readonly number: number;
  /** SQL that ends its transaction, in one message, so that telling costs no round trip. */
  readonly commit: string;
  readonly isSent: boolean;
}

export class Teller {
  readonly news: News;
  readonly #origin = randomBytes(8).toString("hex");
  readonly #clock: Clock;
  readonly #listener: Listener | undefined;
  /** Commands that were sent to other servers, but not told to the caches of this one. */
  readonly #untold = new Set<number>();
  #number = 0;

  constructor({ listening, clock, log, run }: TellingOptions) {
    this.#clock = clock;
    this.news = new News(listening === null ? undefined : (askedAt) => this.#listener?.ask(askedAt));
    if (listening === null) return;
    this.#listener = new Listener({
      news: this.news,
      pool: listening,
      clock,
      log,
      origin: this.#origin,
      greet: (number) => run(notify(payloads({ origin: this.#origin, number, effect: "hello" }))),
      isUntold: (number) => this.#untold.delete(number),
    });
  }

  /** Call before the commit; then call `committed` or `failed`. */
  begin<N extends CommandName>(name: N, args: CommandArgs<N>, result: CommandResult<N>): Telling {
    const effect = effectOf(name, args, result);
    const number = ++this.#number;
    const told = this.#isForOthers(name, effect) ? payloads({ origin: this.#origin, number, effect }) : [];
    const isSent = told.length > 0;
    if (isSent) this.#untold.add(number);
    return { effect, number, commit: isSent ? `${notify(told)}; commit` : "commit", isSent };
  }

  committed({ effect, number, isSent }: Telling): void {
    // The notification may have arrived before the commit's answer.
    if (!isSent || this.#untold.delete(number)) tellEffect(this.news, effect);
  }

  failed({ number }: Telling): void {
    this.#untold.delete(number);
  }

  /** Call with each connection that is used. */
  compare(instance: string): void {
    this.#listener?.compare(instance);
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  /** A refresh changes only what is shown, and is frequent: `NOTIFY` makes commits wait for each other. */
  #isForOthers(name: CommandName, effect: Effect): boolean {
    if (name !== "session.rotate" || !isDocument(effect)) return effect !== undefined;
    return this.#listener !== undefined && !this.#listener.isAlone(this.#clock.now());
  }
}

function notify(told: readonly string[]): string {
  return told.map((payload) => `notify ${CHANNEL}, ${pg.escapeLiteral(payload)}`).join("; ");
}

function isDocument(effect: Effect): boolean {
  return typeof effect === "object" && "what" in effect && effect.what === "document";
}
