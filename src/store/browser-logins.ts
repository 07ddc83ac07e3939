/** Browser logins at a provider and the one-time codes of applications. `commands/browser-logins.ts` holds the writes. */
import type { BrowserLoginStore, IssuedCode } from "../domain/ports/logins.ts";
import type { Digest } from "../lib/secrets.ts";
import { writeState } from "./base/codec.ts";
import { type Args, statement } from "./base/statement.ts";
import type { Backend } from "./commands/backend.ts";
import { readAuthenticated, writeAuthenticated } from "./waiting-identity.ts";

const findCode = statement((db, { code }: Args<{ code: Digest }>) =>
  db.selectFrom("tiled_auth_login_codes").where("code", "=", code).selectAll(),
);

/** Implements `BrowserLoginStore`. */
export function browserLoginStore(backend: Backend): BrowserLoginStore {
  return {
    use: (request) => backend.write("browser_login.use", request),
    issueCode: (code, { identity, ...issued }) =>
      backend.write("browser_login.issue_code", {
        ...issued,
        code,
        ...writeAuthenticated(identity),
      }),
    findCode: (code) =>
      backend.read(async (db): Promise<IssuedCode | undefined> => {
        const row = await db.one(findCode, { code });
        return (
          row && {
            provider: row.provider,
            browser: row.browser,
            challenge: row.challenge,
            identity: readAuthenticated(row.identity, row),
            expirationTime: row.expiration_time,
          }
        );
      }),
    takeCode: (code, now) => backend.write("browser_login.take_code", { code, now }),
    redeemCode: (code, open) =>
      backend.write("browser_login.redeem_code", {
        code,
        open: { ...open, state: writeState(open.state) },
      }),
  };
}
