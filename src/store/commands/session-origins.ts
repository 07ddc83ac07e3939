/**
 * Where a session came from: which identity opened it, from which address, with which program. For the account page, and
 * to end what an identity opened when it is unlinked.
 */
import type { IdentityRef, RequestContext } from "../../domain/model/entities.ts";
import { type Args, type Db, statement } from "../base/statement.ts";

/** The column's width. */
const LONGEST_USER_AGENT = 255;

interface SessionOrigin extends IdentityRef {
  readonly session: number;
  readonly address: string | null;
  readonly userAgent: string | null;
}

const insertOrigin = statement((db, row: Args<SessionOrigin>) =>
  db.insertInto("tiled_auth_session_origins").values({
    session_id: row.session,
    provider: row.provider,
    identity: row.id,
    address: row.address,
    user_agent: row.userAgent,
  }),
);

/** `session`: the row's id. */
export async function keepOrigin(
  db: Db,
  session: number,
  { provider, id }: IdentityRef,
  { address, userAgent = null }: RequestContext,
): Promise<void> {
  const shortened = userAgent?.slice(0, LONGEST_USER_AGENT) ?? null;
  await db.run(insertOrigin, { session, provider, id, address, userAgent: shortened });
}
