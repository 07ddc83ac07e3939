/**
 * Slows down guessing of passwords and user codes, by account and address and by address alone. A right password of an
 * account that is not throttled itself always gets in; what is throttled does not count again.
 */
import { isIPv6 } from "node:net";
import type { FailureCounters, Limit } from "./ports.ts";

export type Attempt<T> =
  | { readonly kind: "right"; readonly value: T }
  /** `limitReached`: the next attempt will be throttled. */
  | { readonly kind: "wrong"; readonly limitReached: boolean }
  | { readonly kind: "throttled"; readonly retryAfter: number };

export interface ThrottleLimits {
  readonly account: Limit;
  readonly address: Limit;
}

const MAX_WAITING = 1000;

export class LoginThrottle {
  readonly #counters: FailureCounters;
  readonly #limits: ThrottleLimits | false;
  /** The attempts on one account from one address are checked one after the other, so that none slips past the limit. */
  readonly #lanes = new Map<string, { tail: Promise<void>; length: number }>();

  constructor(counters: FailureCounters, limits: ThrottleLimits | false) {
    this.#counters = counters;
    this.#limits = limits;
  }

  /** `check` answers null for a wrong password and throws where the backend is broken (which does not count). */
  async attempt<T>(
    account: string,
    address: string | null,
    check: () => Promise<T | null>,
  ): Promise<Attempt<T>> {
    if (this.#limits === false) {
      const value = await check();
      return value === null ? { kind: "wrong", limitReached: false } : { kind: "right", value };
    }
    const limits = this.#limits;
    const place = addressBlock(address);
    const accountKey = `account ${place} ${account}`;
    return await this.#inLane(accountKey, async (): Promise<Attempt<T>> => {
      const blocked = await this.#counters.blocked(accountKey, limits.account);
      if (blocked > 0) return { kind: "throttled", retryAfter: blocked };
      const value = await check();
      if (value !== null) return { kind: "right", value };
      return await this.#countFailure(accountKey, `address ${place}`, limits);
    });
  }

  /**
   * Counts a failure that belongs to no account: a wrong user code, a forged return from a provider. How many seconds the
   * address is throttled; where it was so before, this one does not count.
   */
  async failed(
    address: string | null,
  ): Promise<{ readonly retryAfter: number; readonly limitReached: boolean }> {
    if (this.#limits === false) return { retryAfter: 0, limitReached: false };
    const limit = this.#limits.address;
    const key = `address ${addressBlock(address)}`;
    const before = await this.#counters.blocked(key, limit);
    const retryAfter = before > 0 ? before : await this.#counters.count(key, limit);
    if (retryAfter > 0) return { retryAfter, limitReached: false };
    return { retryAfter: 0, limitReached: (await this.#counters.blocked(key, limit)) > 0 };
  }

  async #countFailure(
    accountKey: string,
    addressKey: string,
    limits: ThrottleLimits,
  ): Promise<Attempt<never>> {
    // The password was looked at, so the account counts it even where the address has to wait already.
    const byAccount = await this.#counters.count(accountKey, limits.account);
    const before = await this.#counters.blocked(addressKey, limits.address);
    if (before > 0) return { kind: "throttled", retryAfter: Math.max(before, byAccount) };
    const byAddress = await this.#counters.count(addressKey, limits.address);
    const retryAfter = Math.max(byAccount, byAddress);
    if (retryAfter > 0) return { kind: "throttled", retryAfter };
    const limitReached =
      (await this.#counters.blocked(accountKey, limits.account)) > 0 ||
      (await this.#counters.blocked(addressKey, limits.address)) > 0;
    return { kind: "wrong", limitReached };
  }

  async #inLane<T>(key: string, task: () => Promise<Attempt<T>>): Promise<Attempt<T>> {
    const lane = this.#lanes.get(key) ?? { tail: Promise.resolve(), length: 0 };
    if (lane.length >= MAX_WAITING) return { kind: "throttled", retryAfter: 1 };
    this.#lanes.set(key, lane);
    lane.length += 1;
    const turn = lane.tail.then(task);
    lane.tail = turn.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await turn;
    } finally {
      lane.length -= 1;
      if (lane.length === 0) this.#lanes.delete(key);
    }
  }
}

/** One machine is one address; of IPv6 it is the /64, since a machine has all of it (RFC 6177). */
export function addressBlock(address: string | null): string {
  if (address === null || !isIPv6(address)) return address ?? "-";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
