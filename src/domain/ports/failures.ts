/** Counters of failed attempts, which throttles ask. The rules of `store.ts` hold. */

/** Counters of failures, shared by all servers of one database where it is shared. */
export interface FailureCounters {
  /** How many seconds the key is still blocked; 0 where it is not. Counts nothing. */
  blocked(key: string, limit: Limit): Promise<number>;
  /** The longest of these times for several keys, which are looked up at once. */
  longestBlock(counters: readonly Counter[]): Promise<number>;
  /**
   * Counts one failure; the seconds until the key is free again where that exceeds the limit, else 0. What exceeds it is
   * refused and so not kept as a failure: it needs no `forgive`.
   */
  count(key: string, limit: Limit): Promise<number>;
  /** Takes one failure back. */
  forgive(key: string, limit: Limit): Promise<void>;
}

export interface Counter {
  readonly key: string;
  readonly limit: Limit;
}

export interface Limit {
  readonly failures: number;
  /** Seconds. */
  readonly per: number;
}
