/**
 * Values that are often known at once: a request whose facts are remembered is answered without waiting for a turn of the event
 * loop, which an `await` would cost.
 */
export type MaybeAsync<T> = T | Promise<T>;

/**
 * Goes on with a value now where it is known, else when it arrives. `failed` is called for a promise that rejects.
 * @example
 * chain(cache.get(key), (value) => answer(value))
 */
export function chain<T, R>(
  value: MaybeAsync<T>,
  next: (value: T) => MaybeAsync<R>,
  failed?: (error: unknown) => MaybeAsync<R>,
): MaybeAsync<R> {
  return value instanceof Promise ? value.then(next, failed) : next(value);
}
