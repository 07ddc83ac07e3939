/** Counters of failed attempts, for the throttles. The rules of `store.ts` hold. */

/** Counters of failures, shared by all servers of one PostgreSQL database. */
export interface FailureCounters {
  /** Seconds for which the key is still blocked; 0 if it is not. Counts nothing. */
  blocked(key: string, limit: Limit): Promise<number>;
  /** The longest of these times for several keys, in one query. */
  longestBlock(counters: readonly Counter[]): Promise<number>;
  /**
   * Counts one failure. Returns the seconds until the key is free again if this exceeds the limit, otherwise 0. A failure
   * beyond the limit is refused and not counted.
   */
  count(key: string, limit: Limit): Promise<number>;
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
