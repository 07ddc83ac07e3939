/**
 * Browser logins on their way to a provider and back, and the one-time codes that applications exchange. Both are rows
 * that end by being deleted: what was used is gone.
 */
import type { BeginLogin, BrowserLoginStore, IssuedCode, LoginGoal } from "../domain/login-ports.ts";
import type { Digest } from "../lib/secrets.ts";
import type { Backend } from "./backend.ts";
import { writeState } from "./codec.ts";
import { type OpenCommand, openSession } from "./sessions.ts";
import { type Args, type Db, statement } from "./statement.ts";

const countWaiting = statement((db, { place, now }: Args<{ place: string; now: Date }>) =>
  db
    .selectFrom("tiled_auth_browser_logins")
    .where("place", "=", place)
    .where("expiration_time", ">", now)
    .select((eb) => eb.fn.countAll<number>().as("waiting")),
);

/** Objects are text here, so that nothing but plain values crosses the border of the writer's thread. */
export type BeginCommand = Omit<BeginLogin, "goal"> & { readonly goal: string };

const insertLogin = statement((db, row: Args<BeginCommand>) =>
  db.insertInto("tiled_auth_browser_logins").values({
    state: row.state,
    provider: row.provider,
    redirect_uri: row.redirectUri,
    nonce: row.nonce,
    code_verifier: row.codeVerifier,
    browser: row.browser,
    place: row.place,
    goal: row.goal,
    expiration_time: row.expirationTime,
  }),
);

const lockLogin = statement((db, { state }: Args<{ state: Digest }>, dialect) =>
  db
    .selectFrom("tiled_auth_browser_logins")
    .where("state", "=", state)
    .selectAll()
    .$if(dialect === "postgresql", (query) => query.forUpdate()),
);

const deleteLogin = statement((db, { state }: Args<{ state: Digest }>) =>
  db.deleteFrom("tiled_auth_browser_logins").where("state", "=", state),
);

export async function beginLogin(db: Db, request: BeginCommand): ReturnType<BrowserLoginStore["begin"]> {
  const { waiting } = (await db.one(countWaiting, request)) ?? { waiting: 0 };
  if (Number(waiting) >= request.limit) return { kind: "limit" };
  await db.run(insertLogin, request);
  return { kind: "begun" };
}

export async function claimLogin(
  db: Db,
  { state, provider, browser, now }: Parameters<BrowserLoginStore["claim"]>[0],
): ReturnType<BrowserLoginStore["claim"]> {
  const row = await db.one(lockLogin, { state });
  if (row === undefined || row.expiration_time <= now) return { kind: "unknown" };
  if (row.provider !== provider || row.browser !== browser) return { kind: "elsewhere" };
  await db.run(deleteLogin, { state });
  return {
    kind: "claimed",
    login: {
      provider,
      redirectUri: row.redirect_uri,
      nonce: row.nonce,
      codeVerifier: row.code_verifier,
      goal: row.goal as LoginGoal,
    },
  };
}

interface NewCode {
  readonly code: Digest;
  readonly provider: string;
  readonly browser: Digest;
  readonly challenge: string | null;
  readonly identity: string;
  readonly state: string;
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
    expiration_time: row.expirationTime,
  }),
);

const findCode = statement((db, { code }: Args<{ code: Digest }>) =>
  db.selectFrom("tiled_auth_login_codes").where("code", "=", code).selectAll(),
);

export const deleteCode = statement((db, { code, now }: Args<{ code: Digest; now: Date }>) =>
  db.deleteFrom("tiled_auth_login_codes").where("code", "=", code).where("expiration_time", ">", now),
);

export async function issueCode(db: Db, row: NewCode): Promise<void> {
  await db.run(insertCode, row);
}

/** The code ends also where the login is refused: the person starts again. */
export async function redeemCode(
  db: Db,
  { code, open }: { readonly code: Digest; readonly open: OpenCommand },
): ReturnType<BrowserLoginStore["redeemCode"]> {
  if ((await db.run(deleteCode, { code, now: open.now })) === 0) return { kind: "gone" };
  return openSession(db, open);
}

export function browserLoginStore(backend: Backend): BrowserLoginStore {
  return {
    begin: ({ goal, ...request }) =>
      backend.write("browser_login.begin", { ...request, goal: JSON.stringify(goal) }),
    claim: (request) => backend.write("browser_login.claim", request),
    issueCode: (code, { identity, ...issued }) =>
      backend.write("browser_login.issue_code", {
        ...issued,
        code,
        identity: identity.id,
        state: writeState(identity.state ?? {}),
      }),
    findCode: (code) =>
      backend.read(async (db): Promise<IssuedCode | undefined> => {
        const row = await db.one(findCode, { code });
        return (
          row && {
            provider: row.provider,
            browser: row.browser,
            challenge: row.challenge,
            identity: { id: row.identity, state: row.session_state ?? {} },
            expirationTime: row.expiration_time,
          }
        );
      }),
    redeemCode: (code, open) =>
      backend.write("browser_login.redeem_code", {
        code,
        open: { ...open, state: writeState(open.state) },
      }),
  };
}
