/** A store that a test breaks and mends, as a database that is away or overloaded. */
import type { Store } from "../../src/domain/ports/store.ts";
import { Failure, type FailureCode } from "../../src/errors.ts";

/** A store whose every method fails while it is broken. */
export function breakable(store: Store): {
  readonly store: Store;
  breakWith(code: FailureCode | null): void;
} {
  let broken: FailureCode | null = null;
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
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
