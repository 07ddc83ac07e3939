/** What the commands that set or take a password have in common. Each checks first whether the change is allowed. */
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { revokeOthers } from "./account.ts";
import type { Change } from "./steps/authority.ts";

export const replacePassword = statement(
  (db, row: Args<{ id: number; password: string | null; now: Date }>) =>
    db
      .updateTable("tiled_auth_accounts")
      .set({ password: row.password, password_time: row.now, time_updated: row.now })
      .where("id", "=", row.id),
);

export const deleteLinks = statement((db, { id }: Args<{ id: number }>) =>
  db.deleteFrom("tiled_auth_account_links").where("account_id", "=", id),
);

/** No session has this UUID. */
const NO_SESSION = "00000000-0000-0000-0000-000000000000" as Uuid;

/** Ends all sessions of a principal, and returns them. */
export async function endSessions(
  db: Db,
  principal: Uuid,
  { now, context }: Change,
): Promise<readonly Uuid[]> {
  const ended = await revokeOthers(db, { principal, keep: NO_SESSION, now, context });
  return ended.kind === "revoked" ? ended.sessions : [];
}
