/**
 * The steps of a device login (RFC 8628), from its start to its session. Each is a command that checks the login's phase while
 * it holds the lock on its row.
 */

import type { IdentityRef } from "../../domain/model/entities.ts";
import type {
  DeviceChange,
  DeviceLoginStore,
  DeviceRefusal,
  StartDeviceLogin,
} from "../../domain/ports/logins.ts";
import type { Digest } from "../../lib/secrets.ts";
import { toBytes } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { admit, type OpenCommand, openSession } from "./sessions.ts";
import { note } from "./steps/audit.ts";
import { findPrincipalOfIdentity } from "./steps/summaries.ts";

const countWaiting = statement((db, { place, now }: Args<{ place: string; now: Date }>) =>
  db
    .selectFrom("tiled_auth_device_logins as d")
    .innerJoin("pending_sessions as p", "p.hashed_device_code", "d.hashed_device_code")
    .where("d.place", "=", place)
    .where("p.expiration_time", ">", now)
    .select((eb) => eb.fn.countAll<number>().as("waiting")),
);

/** Deletes the oldest login, preferring logins that no browser has signed in for. */
const deleteOldest = statement((db, { place, now }: Args<{ place: string; now: Date }>) =>
  db.deleteFrom("pending_sessions").where("hashed_device_code", "=", (eb) =>
    eb
      .selectFrom("tiled_auth_device_logins as d")
      .innerJoin("pending_sessions as p", "p.hashed_device_code", "d.hashed_device_code")
      .where("d.place", "=", place)
      .where("p.expiration_time", ">", now)
      .orderBy((order) => order.case().when("d.phase", "=", "waiting").then(0).else(1).end())
      .orderBy("d.time_created")
      .select("d.hashed_device_code")
      .limit(1),
  ),
);

const findUserCode = statement((db, { code, now }: Args<{ code: string; now: Date }>) =>
  db
    .selectFrom("pending_sessions")
    .where("user_code", "=", code)
    .where("expiration_time", ">", now)
    .select("user_code")
    .limit(1),
);

const insertPending = statement((db, row: Args<{ hashed: Buffer; userCode: string; expiration: Date }>) =>
  db.insertInto("pending_sessions").values({
    hashed_device_code: row.hashed,
    user_code: row.userCode,
    expiration_time: row.expiration,
  }),
);

type Start = Omit<StartDeviceLogin, "deviceCode" | "limit" | "expirationTime" | "context">;

const insertLogin = statement((db, row: Args<Start & { hashed: Buffer; address: string | null }>) =>
  db.insertInto("tiled_auth_device_logins").values({
    hashed_device_code: row.hashed,
    state: row.state,
    provider: row.provider,
    redirect_uri: row.redirectUri,
    nonce: row.nonce,
    code_verifier: row.codeVerifier,
    time_created: row.now,
    address: row.address,
    place: row.place,
    user_agent: row.userAgent,
    phase: "waiting",
    wrong_codes: 0,
  }),
);

/** Starts a login. Each place has a limit of pending logins; the oldest is dropped. */
export async function startDevice(db: Db, request: StartDeviceLogin): ReturnType<DeviceLoginStore["start"]> {
  const { now, context } = request;
  const { waiting } = (await db.one(countWaiting, { place: request.place, now })) ?? { waiting: 0 };
  if (Number(waiting) >= request.limit) await db.run(deleteOldest, { place: request.place, now });
  const code = request.userCode;
  if ((await db.one(findUserCode, { code, now })) !== undefined) return { kind: "taken" };
  const hashed = toBytes(request.deviceCode);
  await db.run(insertPending, { hashed, userCode: code, expiration: request.expirationTime });
  await db.run(insertLogin, { ...request, hashed, address: context.address });
  const detail = { provider: request.provider, user_agent: request.userAgent };
  await note(db, "device_login_started", { now, context, principal: null }, detail);
  return { kind: "started" };
}

const lock = statement((db, { hashed }: Args<{ hashed: Buffer }>, dialect) =>
  db
    .selectFrom("tiled_auth_device_logins as d")
    .innerJoin("pending_sessions as p", "p.hashed_device_code", "d.hashed_device_code")
    .where("d.hashed_device_code", "=", hashed)
    .select(["d.phase", "d.provider", "d.identity", "d.wrong_codes", "p.expiration_time"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("d")),
);

const setSignedIn = statement(
  (
    db,
    row: Args<{ hashed: Buffer; browser: Digest; identity: string; state: string; profile: string | null }>,
  ) =>
    db
      .updateTable("tiled_auth_device_logins")
      .set({
        phase: "signed_in",
        browser: row.browser,
        identity: row.identity,
        session_state: row.state,
        profile: row.profile,
      })
      .where("hashed_device_code", "=", row.hashed),
);

const setConfirmed = statement((db, { hashed }: Args<{ hashed: Buffer }>) =>
  db
    .updateTable("tiled_auth_device_logins")
    .set({ phase: "confirmed" })
    .where("hashed_device_code", "=", hashed),
);

const setRefused = statement((db, row: Args<{ hashed: Buffer; reason: DeviceRefusal }>) =>
  db
    .updateTable("tiled_auth_device_logins")
    .set({ phase: "refused", reason: row.reason })
    .where("hashed_device_code", "=", row.hashed),
);

const setWrong = statement((db, row: Args<{ hashed: Buffer; count: number }>) =>
  db
    .updateTable("tiled_auth_device_logins")
    .set({ wrong_codes: row.count })
    .where("hashed_device_code", "=", row.hashed),
);

const deletePending = statement((db, { hashed }: Args<{ hashed: Buffer }>) =>
  db.deleteFrom("pending_sessions").where("hashed_device_code", "=", hashed),
);

async function lockLive(db: Db, { deviceCode, now }: { deviceCode: Digest; now: Date }) {
  const found = await db.one(lock, { hashed: toBytes(deviceCode) });
  return found !== undefined && found.expiration_time > now ? found : undefined;
}

type Live = NonNullable<Awaited<ReturnType<typeof lockLive>>>;

/** The principal and identity of a login, for an audit row. */
async function concerned(db: Db, { provider, identity: id }: Live) {
  if (id === null) return { principal: null };
  const identity: IdentityRef = { provider, id };
  return { principal: (await findPrincipalOfIdentity(db, identity))?.uuid ?? null, identity };
}

async function refuse(
  db: Db,
  login: Live,
  { deviceCode, now, context }: DeviceChange,
  reason: DeviceRefusal,
): Promise<void> {
  await db.run(setRefused, { hashed: toBytes(deviceCode), reason });
  const about = { now, context, ...(await concerned(db, login)) };
  await note(db, "device_login_refused", about, { provider: login.provider, reason });
}

/** Arguments of `device.sign_in`. */
export type SignInCommand = DeviceChange & {
  readonly browser: Digest;
  readonly identity: string;
  readonly state: string;
  readonly profile: string | null;
};

/** Binds the login to the browser and the identity that signed in first. */
export async function signInDevice(db: Db, change: SignInCommand): ReturnType<DeviceLoginStore["signIn"]> {
  if ((await lockLive(db, change))?.phase !== "waiting") return { kind: "over" };
  await db.run(setSignedIn, { ...change, hashed: toBytes(change.deviceCode) });
  return { kind: "signed_in" };
}

/** Confirms a login that a browser has signed in for, if its identity may log in. */
export async function confirmDevice(
  db: Db,
  change: DeviceChange & { readonly limit: number; readonly caseSensitive?: boolean },
): ReturnType<DeviceLoginStore["confirm"]> {
  const { now, context, limit, caseSensitive = true } = change;
  const login = await lockLive(db, change);
  if (login === undefined || login.phase !== "signed_in" || login.identity === null) return { kind: "over" };
  const identity = { provider: login.provider, id: login.identity };
  const admission = await admit(db, { identity, now, limit, caseSensitive });
  if (admission.kind !== "admitted") {
    const reason = REFUSALS[admission.kind];
    await refuse(db, login, change, reason);
    return { kind: "refused", reason };
  }
  await db.run(setConfirmed, { hashed: toBytes(change.deviceCode) });
  const principal = admission.known?.uuid ?? null;
  await note(
    db,
    "device_login_confirmed",
    { now, context, principal, identity },
    { provider: login.provider },
  );
  return { kind: "confirmed" };
}

const REFUSALS = {
  disabled: "principal_disabled",
  limit: "session_limit",
  other_spelling: "other_spelling",
} as const;

/** Counts a wrong user code. The last of `tries` ends the login. */
export async function countWrongCode(
  db: Db,
  change: DeviceChange & { readonly tries: number },
): ReturnType<DeviceLoginStore["countWrong"]> {
  const { now, context, tries } = change;
  const login = await lockLive(db, change);
  if (login === undefined || login.phase === "refused") return { left: 0 };
  const count = login.wrong_codes + 1;
  await db.run(setWrong, { hashed: toBytes(change.deviceCode), count });
  const detail = { provider: login.provider, reason: "wrong_user_code", count };
  await note(db, "login_failed", { now, context, ...(await concerned(db, login)) }, detail);
  if (count >= tries) await refuse(db, login, change, "wrong_codes");
  return { left: Math.max(0, tries - count) };
}

/** Ends a login. The first reason is kept. */
export async function refuseDevice(
  db: Db,
  change: DeviceChange & { readonly reason: DeviceRefusal },
): Promise<void> {
  const login = await lockLive(db, change);
  if (login === undefined || login.phase === "refused") return;
  await refuse(db, login, change, change.reason);
}

/** Arguments of `device.collect`. */
export interface CollectCommand {
  readonly deviceCode: Digest;
  readonly open: OpenCommand;
}

/** Exchanges a confirmed login for a session, once. */
export async function collectDevice(
  db: Db,
  { deviceCode, open }: CollectCommand,
): ReturnType<DeviceLoginStore["collect"]> {
  const { now, context } = open;
  const login = await lockLive(db, { deviceCode, now });
  if (login?.phase !== "confirmed") return { kind: "gone" };
  const outcome = await openSession(db, open);
  if (outcome.kind === "opened") await db.run(deletePending, { hashed: toBytes(deviceCode) });
  else await refuse(db, login, { deviceCode, now, context }, REFUSALS[outcome.kind]);
  return outcome;
}
