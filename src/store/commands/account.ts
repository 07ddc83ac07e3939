/**
 * Ends a user's other sessions, from the account page. `linking.ts` links and unlinks identities, `api-keys.ts` handles keys;
 * `store/account.ts` lists the sessions.
 */
import type { AccountStore, RevokeOthers } from "../../domain/ports/accounts.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./steps/audit.ts";
import { lockActor } from "./steps/authority.ts";

const revokeAllBut = statement(
  (db, { principal, keep, now }: Args<{ principal: Uuid; keep: Uuid; now: Date }>) =>
    db
      .updateTable("sessions")
      .set((eb) => ({ revoked: eb.lit(true), time_updated: now }))
      .where("principal_id", "=", (eb) =>
        eb.selectFrom("principals").where("uuid", "=", principal).select("id"),
      )
      .where("uuid", "!=", keep)
      .where("revoked", "=", (eb) => eb.lit(false))
      .where("expiration_time", ">", now)
      .returning("uuid"),
);

/** Ends all live sessions of the principal except the current one. */
export async function revokeOthers(db: Db, request: RevokeOthers): ReturnType<AccountStore["revokeOthers"]> {
  const { principal, now, context } = request;
  const revokedCredential = await lockActor(db, request, null);
  if (revokedCredential !== undefined) return revokedCredential;
  const revoked = (await db.all(revokeAllBut, request)).map(({ uuid }) => uuid);
  for (const session of revoked) {
    await note(db, "session_revoked", { now, context, principal }, { session });
  }
  return { kind: "revoked", sessions: revoked };
}
