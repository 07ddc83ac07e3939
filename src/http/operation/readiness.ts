/**
 * Whether the database accepts changes, as a login needs. Probes share one small change at a time, and its result is cached
 * for a while. Only changes of state are logged.
 */
import type { Logger } from "pino";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";

export interface ReadinessOptions {
  /** Throws where the database cannot be changed. */
  readonly ping: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Pick<Logger, "error" | "warn">;
  /** Milliseconds to wait for the database; balancers give up after a few seconds, too. */
  readonly timeout?: number;
}

/** Milliseconds for which a result is cached. */
const GOOD_FOR = { ready: 5000, failure: 1000 };

export class Readiness {
  readonly #options: ReadinessOptions;
  #known: { readonly failure: Failure | null; readonly until: number } | undefined;
  #underway: Promise<Failure | null> | undefined;
  /** The state that was logged last. */
  #told: string | null = null;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Null: the database accepts logins. */
  async check(): Promise<Failure | null> {
    const now = this.#options.clock.now();
    const known = this.#known;
    if (known !== undefined && now < known.until && known.until - now <= GOOD_FOR.ready) return known.failure;
    this.#underway ??= this.#ask().finally(() => {
      this.#underway = undefined;
    });
    return this.#inTime(this.#underway);
  }

  /** Result of the last check; null before the first. */
  get failure(): Failure | null {
    return this.#known?.failure ?? null;
  }

  async #ask(): Promise<Failure | null> {
    const failure = await this.#options.ping().then(
      () => null,
      (error: unknown) =>
        error instanceof Failure ? error : new Failure("store_unavailable", { cause: error }),
    );
    // An overloaded database is up: removing its servers from the balancer would not help.
    return this.#tell(failure?.code === "store_busy" ? null : failure);
  }

  #tell(failure: Failure | null): Failure | null {
    const { log, clock } = this.#options;
    const until = clock.now() + (failure === null ? GOOD_FOR.ready : GOOD_FOR.failure);
    this.#known = { failure, until };
    if (failure === null && this.#told !== null) log.warn("The database can be used again.");
    if (failure !== null && this.#told !== failure.message)
      log.error({ err: failure.cause ?? failure }, failure.message);
    this.#told = failure?.message ?? null;
    return failure;
  }

  async #inTime(asked: Promise<Failure | null>): Promise<Failure | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, this.#options.timeout ?? 3000, "late");
    });
    const first = await Promise.race([asked, late]);
    clearTimeout(timer);
    if (first !== "late") return first;
    return this.#tell(new Failure("store_unavailable", { log: "The database does not answer in time." }));
  }
}
