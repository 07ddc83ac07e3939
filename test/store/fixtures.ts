/**
 * Databases as the real Tiled 0.2.20 left them: users, a service, sessions (one of them revoked) and keys, at both
 * served revisions, with its answers about them. All tests here take place on 2026-12-01.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { Digest } from "../../src/lib/secrets.ts";
import type { Uuid } from "../../src/lib/uuid.ts";
import type { Postgres } from "../support/postgres.ts";

export const REVISIONS = ["0a017b76d0d0", "2d1b550e12e0"] as const;
export type Revision = (typeof REVISIONS)[number];

interface Key {
  readonly firstEight: string;
  readonly digest: Digest;
}

export interface Facts {
  readonly principals: Readonly<Record<"alice" | "bob" | "cara" | "service", Uuid>>;
  readonly sessions: Readonly<Record<"alice" | "bob" | "bobRevoked" | "cara", Uuid>>;
  readonly keys: Readonly<Record<"inherit" | "tagged" | "service", Key>>;
  /** Bob's whoami. */
  readonly bob: { readonly api_keys: readonly { readonly first_eight: string }[] };
}

const read = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name), "utf8");

export function factsOf(dialect: "sqlite" | "postgresql"): Facts {
  return JSON.parse(read(`tiled.${dialect}.json`));
}

function dumpOf(revision: Revision, dialect: "sqlite" | "postgresql"): string {
  return read(`tiled-${revision}.${dialect}.sql`);
}

/** Makes the file; its URI. */
export function sqliteFixture(folder: string, revision: Revision): { path: string; uri: string } {
  const path = join(folder, `${revision}.db`);
  const db = new Sqlite(path);
  // A dump's tables come in the order of their names.
  db.pragma("foreign_keys = OFF");
  db.exec(dumpOf(revision, "sqlite"));
  db.close();
  return { path, uri: `sqlite:///${path}` };
}

export async function postgresFixture(server: Postgres, revision: Revision): Promise<string> {
  const uri = await server.createDatabase();
  await server.query(uri, dumpOf(revision, "postgresql"));
  return uri;
}
