/**
 * Values that are usually at hand: a request whose facts are cached is answered without the turn of the event loop that an
 * `await` costs.
 */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Continues with a value: at once if it is at hand, otherwise when the promise resolves. `failed` handles a rejection.
 *
 * @example
 * ```ts
 * chain(cache.get(id), (record) => record.name); // string, or Promise<string>
 * ```
 */
export function chain<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
  failed?: (error: unknown) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(next, failed) : next(value);
}
