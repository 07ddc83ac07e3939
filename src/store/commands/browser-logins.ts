/**
 * Records the `state` of browser logins that returned from a provider, so that each is used once, and stores the one-time codes
 * of applications, which are deleted when they are redeemed.
 */
import type { BrowserLoginStore, UseState } from "../../domain/ports/logins.ts";
import type { Digest } from "../../lib/secrets.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { type OpenCommand, openSession } from "./sessions.ts";

const insertUsed = statement((db, { state, place, expirationTime }: Args<UseState>) =>
  db
    .insertInto("tiled_auth_used_states")
    .values({ state, place, expiration_time: expirationTime })
    .onConflict((conflict) => conflict.column("state").doNothing()),
);

const countUsed = statement((db, { place }: Args<{ place: string }>) =>
  db
    .selectFrom("tiled_auth_used_states")
    .where("place", "=", place)
    .select((eb) => eb.fn.countAll<number>().as("used")),
);

const deleteOldest = statement((db, { place }: Args<{ place: string }>) =>
  db
    .deleteFrom("tiled_auth_used_states")
    .where("state", "=", (eb) =>
      eb
        .selectFrom("tiled_auth_used_states")
        .where("place", "=", place)
        .orderBy("expiration_time")
        .select("state")
        .limit(1),
    ),
);

/** Marks a state as used. Each place has a limit of remembered states; the oldest is dropped. */
export async function useState(db: Db, request: UseState): ReturnType<BrowserLoginStore["use"]> {
  if ((await db.run(insertUsed, request)) === 0) return { kind: "used" };
  const { used } = (await db.one(countUsed, request)) ?? { used: 0 };
  if (Number(used) > request.limit) await db.run(deleteOldest, request);
  return { kind: "fresh" };
}

interface NewCode {
  readonly code: Digest;
  readonly provider: string;
  readonly browser: Digest;
  readonly challenge: string | null;
  readonly identity: string;
  readonly state: string;
  readonly profile: string | null;
  readonly expirationTime: Date;
}

const insertCode = statement((db, row: Args<NewCode>) =>
  db.insertInto("tiled_auth_login_codes").values({
    code: row.code,
    provider: row.provider,
    browser: row.browser,
    challenge: row.challenge,
    identity: row.identity,
    session_state: row.state,
    profile: row.profile,
    expiration_time: row.expirationTime,
  }),
);

/** Deletes a live code; no changed row means that it was used or has expired. */
export const deleteCode = statement((db, { code, now }: Args<{ code: Digest; now: Date }>) =>
  db.deleteFrom("tiled_auth_login_codes").where("code", "=", code).where("expiration_time", ">", now),
);

/** Stores a one-time code. */
export async function issueCode(db: Db, row: NewCode): Promise<void> {
  await db.run(insertCode, row);
}

/** Ends a live code; false if there is none. */
export async function takeCode(
  db: Db,
  code: { readonly code: Digest; readonly now: Date },
): Promise<boolean> {
  return (await db.run(deleteCode, code)) > 0;
}

/** Exchanges a code for a session. The code is used up even if the login is refused. */
export async function redeemCode(
  db: Db,
  { code, open }: { readonly code: Digest; readonly open: OpenCommand },
): ReturnType<BrowserLoginStore["redeemCode"]> {
  if ((await db.run(deleteCode, { code, now: open.now })) === 0) return { kind: "gone" };
  return openSession(db, open);
}
