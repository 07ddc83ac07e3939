/**
 * Throttles guessing of passwords and user codes, by account and address together and by address alone. The right password
 * of an account that is not throttled itself is accepted until its address floods the server. Throttled attempts do not count.
 */
import { isIPv6 } from "node:net";
import type { Counter, FailureCounters, Limit } from "../ports/failures.ts";

export type Attempt<T> =
  | { readonly kind: "right"; readonly value: T }
  /** `limitReached`: the next attempt will be throttled; `ofAccount`: by what was tried on this account alone. */
  | { readonly kind: "wrong"; readonly limitReached: boolean; readonly ofAccount: boolean }
  | { readonly kind: "throttled"; readonly retryAfter: number };

export interface ThrottleLimits {
  readonly account: Limit;
  readonly address: Limit;
}

/** What one attempt counts on. */
interface Counters {
  readonly account: Counter;
  readonly address: Counter;
  /** All wrong passwords of the address. Bounds the counters that new names create. */
  readonly flood: Counter;
}

/** An address that sends this many times its limit of wrong passwords no longer gets in with a right one. */
const FLOOD = 50;
const MAX_WAITING = 1000;
/** Concurrent attempts of one address; at most this many can exceed the limit. */
const MAX_UNDER_WAY = 1000;

export class LoginThrottle {
  readonly #counters: FailureCounters;
  readonly #limits: ThrottleLimits | false;
  /** Attempts on one account from one address run one after the other, so that none exceeds the limit. */
  readonly #lanes = new Map<string, { tail: Promise<void>; length: number }>();
  /** By address: how many attempts are under way. */
  readonly #running = new Map<string, number>();

  constructor(counters: FailureCounters, limits: ThrottleLimits | false) {
    this.#counters = counters;
    this.#limits = limits;
  }

  /** `check` resolves to null for a wrong password and throws if the backend is broken, which does not count. */
  async attempt<T>(
    account: string,
    address: string | null,
    check: () => Promise<T | null>,
  ): Promise<Attempt<T>> {
    if (this.#limits === false) {
      const value = await check();
      return value === null
        ? { kind: "wrong", limitReached: false, ofAccount: false }
        : { kind: "right", value };
    }
    const place = addressBlock(address);
    const counters = countersOf(account, place, this.#limits);
    // What waits in a lane is not under way: many attempts on one account keep no other account of the address out.
    return await this.#inLane(counters.account.key, () =>
      this.#underWay(place, () => this.#checked(counters, check)),
    );
  }

  /**
   * Counts a failure without an account: a wrong user code, a forged return from a provider. Returns the seconds for which the
   * address is throttled; if it was throttled before, this failure does not count.
   */
  async failed(
    address: string | null,
  ): Promise<{ readonly retryAfter: number; readonly limitReached: boolean }> {
    if (this.#limits === false) return { retryAfter: 0, limitReached: false };
    const { key, limit } = addressCounter(addressBlock(address), this.#limits);
    const before = await this.#counters.blocked(key, limit);
    const retryAfter = before > 0 ? before : await this.#counters.count(key, limit);
    if (retryAfter > 0) return { retryAfter, limitReached: false };
    return { retryAfter: 0, limitReached: (await this.#counters.blocked(key, limit)) > 0 };
  }

  async #checked<T>(counters: Counters, check: () => Promise<T | null>): Promise<Attempt<T>> {
    // One query for both.
    const blocked = await this.#counters.longestBlock([counters.account, counters.flood]);
    if (blocked > 0) return { kind: "throttled", retryAfter: blocked };
    const value = await check();
    return value === null ? await this.#countFailure(counters) : { kind: "right", value };
  }

  async #countFailure({ account, address, flood }: Counters): Promise<Attempt<never>> {
    // First, so that attempts beyond the flood limit create no counters of accounts.
    const byFlood = await this.#counters.count(flood.key, flood.limit);
    if (byFlood > 0) return { kind: "throttled", retryAfter: byFlood };
    // The password was checked, so the account counts it even if the address is throttled already.
    const byAccount = await this.#counters.count(account.key, account.limit);
    const before = await this.#counters.blocked(address.key, address.limit);
    if (before > 0) return { kind: "throttled", retryAfter: Math.max(before, byAccount) };
    const byAddress = await this.#counters.count(address.key, address.limit);
    const retryAfter = Math.max(byAccount, byAddress);
    if (retryAfter > 0) return { kind: "throttled", retryAfter };
    const ofAccount = (await this.#counters.blocked(account.key, account.limit)) > 0;
    const limitReached = ofAccount || (await this.#counters.blocked(address.key, address.limit)) > 0;
    return { kind: "wrong", limitReached, ofAccount };
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

  async #underWay<T>(place: string, task: () => Promise<Attempt<T>>): Promise<Attempt<T>> {
    const before = this.#running.get(place) ?? 0;
    if (before >= MAX_UNDER_WAY) return { kind: "throttled", retryAfter: 1 };
    this.#running.set(place, before + 1);
    try {
      return await task();
    } finally {
      const others = (this.#running.get(place) ?? 1) - 1;
      if (others > 0) this.#running.set(place, others);
      else this.#running.delete(place);
    }
  }
}

function addressCounter(place: string, limits: ThrottleLimits): Counter {
  return { key: `address ${place}`, limit: limits.address };
}

function countersOf(account: string, place: string, limits: ThrottleLimits): Counters {
  const { failures, per } = limits.address;
  return {
    account: { key: `account ${place} ${account}`, limit: limits.account },
    address: addressCounter(place, limits),
    flood: { key: `flood ${place}`, limit: { failures: FLOOD * failures, per } },
  };
}

/** The address block of one machine: an IPv4 address, or an IPv6 /64 (RFC 6177). */
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
