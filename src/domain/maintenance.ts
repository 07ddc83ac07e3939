/**
 * The job that deletes expired rows: one pass a minute in small batches while the server runs. Failures are logged, and the
 * next pass tries again.
 */
import type { Clock } from "../lib/clock.ts";
import type { RequestContext } from "./model/entities.ts";
import type { Maintenance, Purged } from "./ports/maintenance.ts";

/** The part of a logger that a job needs. */
interface JobLog {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export type Counts = Omit<Purged, "more" | "busy">;

export interface PurgeOptions {
  readonly clock: Clock;
  readonly batch?: number;
  /** Null: audit rows are kept forever. */
  readonly auditRetentionDays: number | null;
  /** The request that asked for the purge; it is audited then. */
  readonly context?: RequestContext;
  /** Called between batches; true ends the pass. */
  readonly stopped?: () => boolean;
}

const DAY = 86_400_000;

/** Deletes all expired rows, batch by batch. `busy`: another server is doing so. */
export async function purgeAll(
  store: Maintenance,
  options: PurgeOptions,
): Promise<Counts & { readonly busy: boolean }> {
  const { clock, batch = 500, auditRetentionDays, context, stopped = () => false } = options;
  const total = { sessions: 0, pendingSessions: 0, apiKeys: 0, auditRows: 0 };
  for (;;) {
    const now = new Date(clock.now());
    const auditBefore =
      auditRetentionDays === null ? null : new Date(now.getTime() - auditRetentionDays * DAY);
    const purged = await store.purge({ now, batch, auditBefore, context });
    total.sessions += purged.sessions;
    total.pendingSessions += purged.pendingSessions;
    total.apiKeys += purged.apiKeys;
    total.auditRows += purged.auditRows;
    if (purged.busy || !purged.more || stopped()) return { ...total, busy: purged.busy };
  }
}

export interface JobOptions extends Omit<PurgeOptions, "context" | "stopped"> {
  readonly log: JobLog;
  /** Calls back once after this many seconds; returns a function that cancels it. */
  readonly later?: (seconds: number, callback: () => void) => () => void;
}

const PURGE_INTERVAL = 60;

export class PurgeJob {
  readonly #store: Maintenance;
  readonly #options: JobOptions;
  readonly #later: NonNullable<JobOptions["later"]>;
  #cancel: () => void = () => {};
  #pass: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(store: Maintenance, options: JobOptions) {
    this.#store = store;
    this.#options = options;
    this.#later = options.later ?? timer;
    this.#schedule();
  }

  /** Waits for the batch under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#pass;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#later(PURGE_INTERVAL, () => {
      this.#pass = this.#run().finally(() => this.#schedule());
    });
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    try {
      const { busy, ...counts } = await purgeAll(this.#store, {
        ...this.#options,
        stopped: () => this.#stopped,
      });
      if (Object.values(counts).some((count) => count > 0))
        log.info({ purged: counts }, "Expired rows deleted.");
    } catch (error) {
      log.error({ err: error }, `Expired rows could not be deleted. Next attempt in ${PURGE_INTERVAL} s.`);
    }
  }
}

function timer(seconds: number, callback: () => void): () => void {
  const handle = setTimeout(callback, seconds * 1000);
  handle.unref();
  return () => clearTimeout(handle);
}
