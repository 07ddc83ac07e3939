/**
 * Records when API keys were used, in batches and at most once a minute for each key, so that no request waits for it.
 */
import type { Clock } from "../../lib/clock.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { ApiKeyRecord, RequestContext } from "../model/entities.ts";
import type { ApiKeyStore } from "../ports/api-keys.ts";

const NOTE_EVERY_MS = 60_000;
const WRITE_AFTER_MS = 1_000;
const MAX_REMEMBERED = 50_000;

interface Use {
  readonly key: ApiKeyRecord;
  readonly time: Date;
  readonly context: RequestContext;
}

export class KeyActivity {
  readonly #store: ApiKeyStore;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #onUse: (principal: Uuid) => void;
  /** By principal and first eight digits: the newest recorded use. */
  readonly #noted = new Map<string, Use>();
  #waiting: Use[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `onUse`: called if `latest` of one of the principal's keys changes. */
  constructor(
    store: ApiKeyStore,
    clock: Clock,
    onError: (error: unknown) => void,
    onUse: (principal: Uuid) => void = () => {},
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
    this.#onUse = onUse;
  }

  note(key: ApiKeyRecord, context: () => RequestContext): void {
    const name = key.principal + key.firstEight;
    const now = this.#clock.now();
    const last = this.#noted.get(name)?.time ?? key.latestActivity;
    if (last !== undefined && last !== null && now - last.getTime() < NOTE_EVERY_MS) return;
    const use = { key, time: new Date(now), context: { ...context(), actor: key.principal } };
    if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear();
    this.#noted.set(name, use);
    this.#waiting.push(use);
    this.#onUse(key.principal);
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS).unref();
  }

  /** The newest use of a key, even if not written yet. */
  latest(principal: Uuid, firstEight: string, stored: Date | null): Date | null {
    const noted = this.#noted.get(principal + firstEight)?.time;
    return noted !== undefined && (stored === null || noted > stored) ? noted : stored;
  }

  /** Writes waiting uses. Never throws: a failure is reported, and the next use is recorded again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const uses = this.#waiting;
    this.#waiting = [];
    if (uses.length === 0) return;
    try {
      await this.#store.touch(
        uses.map(({ key, time, context }) => ({
          firstEight: key.firstEight,
          digest: key.digest,
          time,
          context,
        })),
      );
    } catch (error) {
      for (const { key } of uses) this.#noted.delete(key.principal + key.firstEight);
      this.#onError(error);
    }
  }
}
