/**
 * Stores the origin of a session: the identity, address and user agent that opened it. The account page shows it, and unlinking
 * an identity ends the sessions it opened.
 */
import type { IdentityRef, RequestContext } from "../../../domain/model/entities.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

/** Width of the column, in characters. */
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

/** Stores the origin. `session` is the id of the row; a long user agent is shortened. */
export async function keepOrigin(
  db: Db,
  session: number,
  { provider, id }: IdentityRef,
  { address, userAgent = null }: RequestContext,
): Promise<void> {
  const shortened = userAgent?.slice(0, LONGEST_USER_AGENT) ?? null;
  await db.run(insertOrigin, { session, provider, id, address, userAgent: shortened });
}
