/**
 * Pending device logins: Tiled's row of `pending_sessions`, as Tiled writes it, and a row of our own for what Tiled's table
 * has no column for. This file reads; `commands/device.ts` holds the writes.
 */
import type { Kysely } from "kysely";
import type {
  DeviceChange,
  DeviceLogin,
  DeviceLoginStore,
  DevicePhase,
  PolledLogin,
} from "../domain/ports/logins.ts";
import type { Digest } from "../lib/secrets.ts";
import { toBytes, writeState } from "./base/codec.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Tables } from "./base/tables.ts";
import { batched } from "./batcher.ts";
import type { Backend } from "./commands/backend.ts";
import { readAuthenticated, writeAuthenticated } from "./waiting-identity.ts";

/** Run at every poll of every waiting program, so it selects only the columns it needs. */
const polled = (db: Kysely<Tables>) =>
  db
    .selectFrom("pending_sessions as p")
    .innerJoin("tiled_auth_device_logins as d", "d.hashed_device_code", "p.hashed_device_code")
    .select(["p.hashed_device_code", "p.expiration_time", "d.provider"])
    .select(["d.phase", "d.reason", "d.browser", "d.identity", "d.session_state", "d.profile"]);

const byDeviceCode = statement((db, { hashed }: Args<{ hashed: Buffer }>) =>
  polled(db).where("p.hashed_device_code", "=", hashed),
);

type PolledRow = Awaited<ReturnType<ReturnType<typeof polled>["execute"]>>[number];

function toPolled(row: PolledRow): PolledLogin {
  return { provider: row.provider, expirationTime: row.expiration_time, phase: phaseOf(row) };
}

async function findPolled(db: Db, deviceCode: Digest): Promise<PolledLogin | undefined> {
  const row = await db.one(byDeviceCode, { hashed: toBytes(deviceCode) });
  return row && toPolled(row);
}

async function findAllPolled(db: Db, codes: readonly Digest[]): Promise<(PolledLogin | undefined)[]> {
  const [first, ...others] = codes;
  if (first !== undefined && others.length === 0) return [await findPolled(db, first)];
  const rows = await db.query((tables) =>
    polled(tables).where("p.hashed_device_code", "in", codes.map(toBytes)),
  );
  const found = new Map(rows.map((row) => [row.hashed_device_code.toString("hex"), toPolled(row)]));
  return codes.map((code) => found.get(code));
}

const byState = statement((db, { state }: Args<{ state: Digest }>) =>
  db
    .selectFrom("tiled_auth_device_logins as d")
    .innerJoin("pending_sessions as p", "p.hashed_device_code", "d.hashed_device_code")
    .where("d.state", "=", state)
    .selectAll("d")
    .select(["p.user_code", "p.expiration_time"]),
);

type Row = NonNullable<Awaited<ReturnType<typeof readByState>>>;

function readByState(db: Db, state: Digest) {
  return db.one(byState, { state });
}

function toLogin(row: Row): DeviceLogin {
  return {
    deviceCode: row.hashed_device_code.toString("hex") as Digest,
    provider: row.provider,
    userCode: row.user_code,
    expirationTime: row.expiration_time,
    redirectUri: row.redirect_uri,
    nonce: row.nonce,
    codeVerifier: row.code_verifier,
    startedAt: row.time_created,
    address: row.address,
    userAgent: row.user_agent,
    phase: phaseOf(row),
  };
}

type PhaseColumns = Pick<Row, "phase" | "reason" | "browser" | "identity" | "session_state" | "profile">;

function phaseOf({ phase, reason, browser, identity, ...told }: PhaseColumns): DevicePhase {
  if (phase === "refused") return { kind: phase, reason: reason ?? "cancelled" };
  if (phase === "waiting" || browser === null || identity === null) return { kind: "waiting" };
  return { kind: phase, browser, identity: readAuthenticated(identity, told) };
}

const waits = statement((db, { hashed, now }: Args<{ hashed: Buffer; now: Date }>) =>
  db
    .selectFrom("pending_sessions")
    .where("hashed_device_code", "=", hashed)
    .where("expiration_time", ">", now)
    .where("session_id", "is not", null)
    .select("user_code"),
);

async function isHandedOver(db: Db, request: Pick<DeviceChange, "deviceCode" | "now">): Promise<boolean> {
  const { deviceCode, now } = request;
  return (await db.one(waits, { hashed: toBytes(deviceCode), now })) !== undefined;
}

/** Implements `DeviceLoginStore`. */
export function deviceLoginStore(backend: Backend): DeviceLoginStore {
  // As for API keys: see `api-keys.ts`.
  const lookUp =
    backend.dialect === "sqlite"
      ? (code: Digest) => backend.read((db) => findPolled(db, code))
      : batched<Digest, PolledLogin>((codes) => backend.read((db) => findAllPolled(db, codes)));
  return {
    start: (request) => backend.write("device.start", request),
    byDeviceCode: lookUp,
    byState: (state) =>
      backend.read(async (db) => {
        const row = await readByState(db, state);
        return row && toLogin(row);
      }),
    signIn: ({ identity, ...change }) =>
      backend.write("device.sign_in", {
        ...change,
        ...writeAuthenticated(identity),
      }),
    confirm: (change) => backend.write("device.confirm", change),
    countWrong: (change) => backend.write("device.count_wrong", change),
    refuse: (change) => backend.write("device.refuse", change),
    collectHandedOver: async (request) => {
      // A poll with an unknown code costs a read, not a write.
      if (!(await backend.read((db) => isHandedOver(db, request)))) return undefined;
      return backend.write("device.collect_handed_over", request);
    },
    collect: (deviceCode, open) =>
      backend.write("device.collect", { deviceCode, open: { ...open, state: writeState(open.state) } }),
  };
}
