/**
 * Stores the `state` of a login (e.g. groups). A short state is stored with its session, where the real Tiled looks for it. A
 * long one is stored once per identity instead of once per session.
 */
import type { IdentityRef } from "../../../domain/model/entities.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

/** States longer than this, in characters of JSON, are long. */
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

/** Stores a long state for the identity, replacing an older one; does nothing for a short state. */
export async function keepLongState(
  db: Db,
  session: number,
  { provider, id }: IdentityRef,
  state: string,
): Promise<void> {
  if (state.length > LONG_STATE) await db.run(keep, { provider, id, session, state });
}
