/**
 * The real Tiled behind our gateway, each a process of its own.
 */
import type { TestContext } from "node:test";
import { temporaryFolder } from "./folders.ts";
import { startOurs } from "./ours.ts";
import type { Server } from "./process.ts";
import { startReference } from "./reference.ts";
import { SECRET_KEY, TREE, toy } from "./toy.ts";

/** The configuration that `docs/how-to/gateway.md` recommends: our keys and our providers' names, and no logins there. */
export function behind(sections: object = {}, authentication: object = {}): object {
  return {
    authentication: {
      secret_keys: [SECRET_KEY],
      providers: [
        {
          provider: "toy",
          authenticator: "tiled.authenticators:DictionaryAuthenticator",
          args: { users_to_passwords: {} },
        },
      ],
      ...authentication,
    },
    trees: [{ path: "/", tree: TREE }],
    ...sections,
  };
}

/** With a catalog that can be written to and listened to. */
export async function catalog(t: TestContext): Promise<object> {
  const folder = await temporaryFolder(t.after.bind(t));
  const args = {
    uri: `sqlite:///${folder}/catalog.db`,
    writable_storage: [`file://localhost${folder}/data`, `sqlite:///${folder}/tables.db`],
    init_if_not_exists: true,
  };
  return behind({ trees: [{ path: "/", tree: "catalog", args }], streaming_cache: { uri: "memory" } });
}

export interface Pair {
  readonly front: Server;
  readonly real: Server;
}

export async function serve(t: TestContext, config: object, ours: object = {}): Promise<Pair> {
  const cleanup = t.after.bind(t);
  const real = await startReference(cleanup, config);
  const front = await startOurs(cleanup, toy({ ...ours, trees: [{ path: "/", upstream: real.url }] }));
  return { front, real };
}

/** What a catalog takes for an array that is written later. */
export const ARRAY = {
  id: "live",
  structure_family: "array",
  metadata: {},
  specs: [],
  data_sources: [
    {
      structure_family: "array",
      management: "writable",
      structure: {
        data_type: { endianness: "little", kind: "f", itemsize: 8 },
        chunks: [[2]],
        shape: [2],
        dims: null,
        resizable: false,
      },
    },
  ],
};
