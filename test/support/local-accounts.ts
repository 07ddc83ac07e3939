/** A server with two own accounts, ada and bob, and links for them as the command line makes them. */
import assert from "node:assert/strict";
import { LocalAuthenticator } from "../../src/authenticators/local/authenticator.ts";
import { PasswordHasher } from "../../src/authenticators/passwords/hasher.ts";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import type { LinkPurpose } from "../../src/domain/ports/local-accounts.ts";
import { randomHex, sha256 } from "../../src/lib/secrets.ts";
import { openStore } from "../../src/store/open.ts";
import { ORIGIN } from "../store/support.ts";
import { testApp } from "./app.ts";
import { ManualClock } from "./clock.ts";

const COST = { memory: 7168, passes: 1, parallelism: 1 };
export const ADAS_PASSWORD = "correct horse battery";

export async function localAccounts(
  server: { readonly publicUrl?: string } = {},
  others: readonly (readonly [string, Authenticator])[] = [],
) {
  const clock = new ManualClock();
  const store = await openStore({ uri: null, clock, log: () => undefined } as never);
  const hasher = new PasswordHasher();
  const own = { accounts: () => store.localAccounts, key: Buffer.alloc(32, 7) };
  const context = { provider: "lab", directory: "/", warn: () => undefined, own };
  const lab = new LocalAuthenticator({ hash: COST }, context, hasher);
  const app = await testApp({ store, clock, server, authenticators: new Map([["lab", lab], ...others]) });
  const change = () => ({ provider: "lab", now: new Date(clock.now()), context: ORIGIN });
  const password = await hasher.hash(ADAS_PASSWORD, COST, { source: "test" });
  const account = { email: null, password, state: "active", groups: ["staff"] } as const;
  const accounts = [
    { ...account, name: "ada" },
    { ...account, name: "bob" },
  ];
  await store.localAccounts.add({ ...change(), accounts, admin: false, as: "added" });
  const link = async (name = "ada", purpose: LinkPurpose = "reset") => {
    const secret = randomHex(32);
    const expirationTime = new Date(clock.now() + 3_600_000);
    const made = { digest: sha256(secret), expirationTime };
    const outcome = await store.localAccounts.link({ ...change(), name, purpose, link: made, endNow: false });
    assert.equal(outcome.kind, "linked");
    return { secret, path: `/login/${purpose}/${secret}` };
  };
  return { app, clock, store, change, link };
}
