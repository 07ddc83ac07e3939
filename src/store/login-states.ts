/**
 * What a login said of a person (`state`, e.g. groups). A short one stands with its session, where the real Tiled looks for it,
 * too. A long one is kept once for each identity, since hundreds of sessions would repeat it; tokens do not carry it in any
 * case. Lists show states newest first, as many as fit.
 */
import { sql } from "kysely";
import type { Db } from "./base/statement.ts";

/** What whoami shows of all sessions together; the newest state is shown up to `LONGEST`. */
const SHOWN_OF_ONE = 16_384;
const LONGEST = 65_536;
/** What a page of principals shows. */
const SHOWN_OF_ALL = 262_144;

/** The length of the state that a session brought, in both dialects. `s`: the sessions, `k`: what is kept once. */
export const stateLength = sql<number>`length(cast(coalesce(${sql.ref("k.state")}, ${sql.ref("s.state")}) as text))`;

interface Stated {
  readonly id: number;
  readonly owner: number;
  readonly stateLength: number;
}

export type States = ReadonlyMap<number, Readonly<Record<string, unknown>>>;

/** `sessions` in the order of their ids. By the session's id; what is not there is empty, or too much. */
export async function shownStates(db: Db, sessions: readonly Stated[]): Promise<States> {
  const ids: number[] = [];
  const shown = new Map<number, number>();
  let all = 0;
  for (const { id, owner, stateLength: length } of sessions.toReversed()) {
    if (length <= "{}".length) continue;
    const before = shown.get(owner) ?? 0;
    const most = before === 0 ? LONGEST : SHOWN_OF_ONE;
    if (before + length > most || all + length > SHOWN_OF_ALL) continue;
    shown.set(owner, before + length);
    all += length;
    ids.push(id);
  }
  if (ids.length === 0) return new Map();
  const rows = await db.query((tables) =>
    tables
      .selectFrom("sessions as s")
      .leftJoin("tiled_auth_login_states as k", "k.session_id", "s.id")
      .where("s.id", "in", ids)
      .select(["s.id", "s.state", "k.state as kept"]),
  );
  return new Map(rows.map(({ id, state, kept }) => [id, kept ?? state ?? {}]));
}
