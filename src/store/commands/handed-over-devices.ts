/**
 * Device logins that the real Tiled confirmed, opening their session, but that were not collected before its database was handed
 * over. They have Tiled's row only; our own logins have a second row (`store/device.ts`).
 */
import type { DeviceChange, HandedOverLogin } from "../../domain/ports/logins.ts";
import { toBytes } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./steps/audit.ts";
import { summarize } from "./steps/summaries.ts";

const confirmed = statement((db, { hashed, now }: Args<{ hashed: Buffer; now: Date }>, dialect) =>
  db
    .selectFrom("pending_sessions as w")
    .innerJoin("sessions as s", "s.id", "w.session_id")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("w.hashed_device_code", "=", hashed)
    .where("w.expiration_time", ">", now)
    .where("s.revoked", "=", (eb) => eb.lit(false))
    .where("s.expiration_time", ">", now)
    .select(["p.id", "p.uuid", "p.type", "d.time as disabledSince"])
    .select(["s.uuid as session", "s.expiration_time as expirationTime", "s.state"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("w")),
);

const deletePending = statement((db, { hashed }: Args<{ hashed: Buffer }>) =>
  db.deleteFrom("pending_sessions").where("hashed_device_code", "=", hashed),
);

/** Collects a login once and deletes its row. Undefined if its session has ended or the user has no identity at the provider. */
export async function collectHandedOver(
  db: Db,
  { deviceCode, now, context, provider }: DeviceChange & { readonly provider: string },
): Promise<HandedOverLogin | undefined> {
  const hashed = toBytes(deviceCode);
  const found = await db.one(confirmed, { hashed, now });
  if (found === undefined || found.disabledSince !== null) return undefined;
  const principal = await summarize(db, found);
  const identity = principal.identities.find((known) => known.provider === provider);
  if (identity === undefined) return undefined;
  if ((await db.run(deletePending, { hashed })) === 0) return undefined;
  const detail = { session: found.session, device_login: "confirmed before the hand-over" };
  await note(db, "login", { now, context, principal: found.uuid, identity }, detail);
  return {
    identity,
    principal,
    session: {
      uuid: found.session,
      principal: found.uuid,
      expirationTime: found.expirationTime,
      revoked: false,
      state: found.state ?? {},
    },
  };
}
