/**
 * What a login said of a person (`state`, e.g. groups). A short one stands with its session, where the real Tiled looks for it,
 * too. A long one is kept once for each identity, since hundreds of sessions would repeat it.
 */
import type { IdentityRef } from "../../domain/model/entities.ts";
import { type Args, type Db, statement } from "../base/statement.ts";

/** Characters of JSON. */
export const LONG_STATE = 2048;

const keep = statement((db, row: Args<IdentityRef & { session: number; state: string }>) =>
  db
    .insertInto("tiled_auth_login_states")
    .values({ provider: row.provider, identity: row.id, session_id: row.session, state: row.state })
    .onConflict((conflict) =>
      conflict.columns(["provider", "identity"]).doUpdateSet((eb) => ({
        session_id: eb.ref("excluded.session_id"),
        state: eb.ref("excluded.state"),
      })),
    ),
);

export async function keepLongState(
  db: Db,
  session: number,
  { provider, id }: IdentityRef,
  state: string,
): Promise<void> {
  if (state.length > LONG_STATE) await db.run(keep, { provider, id, session, state });
}
