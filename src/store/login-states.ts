/**
 * The `state` that a login brought (e.g. groups). A short state is stored with its session, where the real Tiled looks for it.
 * A long one is stored once per identity instead of once per session, and tokens never carry it. Lists show states newest
 * first, as many as fit.
 */
import { sql } from "kysely";
import type { Db } from "./base/statement.ts";

/** Characters that whoami shows of all sessions' states together; the newest state is shown up to `LONGEST`. */
const SHOWN_OF_ONE = 16_384;
const LONGEST = 65_536;
/** Characters of states on a page of principals. */
const SHOWN_OF_ALL = 262_144;

/** Length of a session's state in characters, in both dialects. `s` is `sessions`, `k` is `tiled_auth_login_states`. */
export const stateLength = sql<number>`length(cast(coalesce(${sql.ref("k.state")}, ${sql.ref("s.state")}) as text))`;

interface Stated {
  readonly id: number;
  readonly owner: number;
  readonly stateLength: number;
}

/** Login states by session id. */
export type States = ReadonlyMap<number, Readonly<Record<string, unknown>>>;

/** The states to show, by session id. `sessions` is in order of id; a session without an entry has an empty state or one that does not fit. */
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
