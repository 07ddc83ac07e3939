/** A store that a test breaks and mends, as a database that is away or overloaded. */
import type { Changes } from "../../src/domain/ports/changes.ts";
import type { Store } from "../../src/domain/ports/store.ts";
import { Failure, type FailureCode } from "../../src/errors.ts";

/** A store whose every method fails while it is broken. */
export function breakable(store: Store): {
  readonly store: Store;
  breakWith(code: FailureCode | null): void;
} {
  let broken: FailureCode | null = null;
  // Of a store that is away, nothing is known.
  const changes: Changes = {
    get era() {
      return store.changes.era;
    },
    toldUntil: (now) =>
      broken === null ? store.changes.toldUntil(now) : store.changes.heldUntil(store.changes.era),
    heldUntil: (era) => store.changes.heldUntil(era),
    listen: (listener) => store.changes.listen(listener),
  };
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === "changes") return changes;
        if (typeof value !== "function") {
          return typeof value === "object" && value !== null ? wrap(value) : value;
        }
        return (...args: unknown[]) => {
          if (broken !== null && name !== "close")
            return Promise.reject(new Failure(broken, { log: "broken by the test" }));
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  return {
    store: wrap(store),
    breakWith: (code) => {
      broken = code;
    },
  };
}
