/** One demand on every store. `conformance.ts` joins them. */
import type { Store } from "../../../src/domain/ports/store.ts";

export type Case = readonly [name: string, run: (store: Store) => Promise<void>];
