/**
 * Shared by the tests of the store: a fixed time, complete requests, and a store on any database.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RequestContext } from "../../src/domain/model/entities.ts";
import type { CreateApiKey } from "../../src/domain/ports/api-keys.ts";
import type { OpenOutcome, OpenSession, RotateSession } from "../../src/domain/ports/sessions.ts";
import type { Store } from "../../src/domain/ports/store.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type Digest, sha256 } from "../../src/lib/secrets.ts";
import type { Uuid } from "../../src/lib/uuid.ts";
import { openStore, type StoreOptions } from "../../src/store/open.ts";
import { ManualClock } from "../support/clock.ts";
import type { Postgres } from "../support/postgres.ts";

export const NOW = new Date("2026-12-01T12:00:00.000Z");
export const ORIGIN: RequestContext = { address: "192.0.2.7", requestId: "0123456789abcdef", actor: null };

/** Seconds after (or before) NOW. */
export function at(seconds: number): Date {
  return new Date(NOW.getTime() + seconds * 1000);
}

export function login(id: string, changes: Partial<OpenSession> = {}): OpenSession {
  return {
    identity: { provider: "toy", id },
    now: NOW,
    expirationTime: at(3600),
    state: {},
    admin: false,
    limit: 200,
    context: ORIGIN,
    ...changes,
  };
}

export async function logIn(store: Store, id: string, changes: Partial<OpenSession> = {}) {
  return opened(await store.sessions.open(login(id, changes)));
}

/** The digest of a new login token of CAVE's, for a session whose owner accepts the terms with number 1. */
export async function useCave(store: Store, principal: Uuid, session: Uuid): Promise<Digest> {
  const digest = sha256(randomBytes(16));
  const owner = { principal, now: NOW, context: ORIGIN };
  await store.cave.acceptTerms({ ...owner, tos: 1 });
  const opened = await store.cave.openLogin({
    ...owner,
    digest,
    session,
    origin: "https://viewer.example.org",
    expirationTime: at(3600),
    limit: 10,
  });
  if (opened.kind !== "opened") throw new Error("The session has ended.");
  return digest;
}

export function opened(outcome: OpenOutcome) {
  if (outcome.kind !== "opened") throw new Error(`The login ended as ${outcome.kind}.`);
  return outcome;
}

export function refresh(
  session: Uuid,
  generation: number | null,
  tokenId: string,
  changes: Partial<RotateSession> = {},
): RotateSession {
  return {
    session,
    generation,
    tokenId,
    summarize: true,
    rotate: true,
    grace: 60,
    now: at(60),
    context: ORIGIN,
    ...changes,
  };
}

export function newKey(
  principal: Uuid,
  changes: Partial<CreateApiKey["key"]> = {},
  more: Partial<CreateApiKey> = {},
): CreateApiKey {
  const secret = randomBytes(36);
  return {
    principal,
    digest: sha256(secret),
    key: {
      firstEight: secret.toString("hex").slice(0, 8),
      expirationTime: null,
      note: null,
      scopes: ["inherit"],
      accessTags: null,
      ...changes,
    },
    limit: 100,
    now: NOW,
    context: ORIGIN,
    ...more,
  };
}

export function storeOptions(uri: string | null, changes: Partial<StoreOptions> = {}): StoreOptions {
  return {
    uri,
    initIfNotExists: true,
    poolSize: 5,
    maxOverflow: 10,
    poolPrePing: false,
    exclusiveWriter: false,
    log: () => {},
    clock: new ManualClock(NOW),
    ...changes,
  };
}

/** Closed when the test ends. */
export async function openFor(
  t: TestContext,
  uri: string | null,
  changes: Partial<StoreOptions> = {},
): Promise<Store> {
  const store = await openStore(storeOptions(uri, changes));
  t.after(() => store.close());
  return store;
}

export const STRICTER = ["repeatable read", "serializable"] as const;

/** A new database whose transactions are stricter where they do not say otherwise. */
export async function strictDatabase(server: Postgres, level: (typeof STRICTER)[number]): Promise<string> {
  const uri = await server.createDatabase();
  const name = new URL(uri).pathname.slice(1);
  await server.query(uri, `alter database ${name} set default_transaction_isolation = '${level}'`);
  return uri;
}

/** A store on an existing database, by the real clock, closed when the work is done. */
export async function withStoreAt<T>(uri: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(storeOptions(uri, { initIfNotExists: false, clock: systemClock }));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** A folder that is deleted when the test ends. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tiled-auth-store-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function eventsOf(store: Store, principal?: Uuid): Promise<string[]> {
  const rows = await store.audit.read({ limit: 1000, ...(principal === undefined ? {} : { principal }) });
  return rows.map(({ event }) => event);
}
