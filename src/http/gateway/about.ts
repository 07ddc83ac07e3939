/**
 * The about document of a server behind this one, which also tells whether it is a Tiled. It is cached for a minute. While
 * the server is away the last known document counts, for the choice of credentials no longer than five minutes.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { failureOf } from "./failures.ts";
import type { Forwarder } from "./forward.ts";

/** The upstream's document: formats, queries, version and fields of newer versions. */
export type Facts = Readonly<Record<string, unknown>>;

export type Known =
  | { readonly kind: "tiled"; readonly facts: Facts }
  | { readonly kind: "other" }
  | { readonly kind: "away"; readonly failure: Failure };

const FRESH_MS = 60_000;
/** Before an unavailable server is asked again. */
const AWAY_MS = 1_000;
/** How long `current` accepts the last known document of an unavailable server. */
const KEPT_MS = 300_000;
const LIMITS = { timeoutMs: 5_000, bytes: 1_048_576 };

export class UpstreamAbout {
  readonly #forwarder: Pick<Forwarder, "read">;
  readonly #clock: Clock;
  #known: Known | undefined;
  #until = 0;
  #answeredAt = 0;
  #lastAnswer: Known | undefined;
  #asking: Promise<Known> | undefined;

  constructor(forwarder: Pick<Forwarder, "read">, clock: Clock) {
    this.#forwarder = forwarder;
    this.#clock = clock;
  }

  /** Waits only if nothing is known. */
  get(): Known | Promise<Known> {
    const known = this.#known;
    if (known !== undefined && this.#clock.now() < this.#until) return known;
    const asking = this.#askOnce();
    return known === undefined || known.kind === "away" ? asking : known;
  }

  /** For the choice of credentials: waits if the last answer is more than a minute old. */
  current(): Known | Promise<Known> {
    const known = this.#known;
    const fresh = known !== undefined && known.kind !== "away" && this.#clock.now() < this.#until;
    if (fresh) return known;
    return this.#askOnce().then((found) => {
      const old = this.#clock.now() - this.#answeredAt > KEPT_MS;
      return old && this.#lastAnswer?.kind === "away" ? this.#lastAnswer : found;
    });
  }

  #askOnce(): Promise<Known> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Known> {
    const answer = await this.#read();
    const now = this.#clock.now();
    const away = answer.kind === "away";
    this.#until = now + (away ? AWAY_MS : FRESH_MS);
    this.#lastAnswer = answer;
    if (!away) this.#answeredAt = now;
    if (!away || this.#known === undefined || this.#known.kind === "away") this.#known = answer;
    return this.#known;
  }

  async #read(): Promise<Known> {
    try {
      const { status, text } = await this.#forwarder.read("/api/v1/", LIMITS);
      if (status >= 500) {
        return { kind: "away", failure: new Failure("bad_gateway", { log: `about answered ${status}` }) };
      }
      const facts = status === 200 ? factsOf(text) : undefined;
      return facts === undefined ? { kind: "other" } : { kind: "tiled", facts };
    } catch (error) {
      return { kind: "away", failure: failureOf(error) };
    }
  }
}

function factsOf(text: string): Facts | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof document !== "object" || document === null || !("api_version" in document)) return undefined;
  return document as Facts;
}
