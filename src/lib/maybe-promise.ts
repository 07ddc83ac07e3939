/** Values that are either at hand or still to come: hot paths answer from caches without a turn of the event loop. */

export type MaybePromise<T> = T | Promise<T>;

/**
 * Continues with a value: at once if it is at hand, later if it is a promise.
 *
 * @example chain(cache.get(id), (record) => record.name) // string, or Promise<string>
 */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
