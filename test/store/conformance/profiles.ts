/** Cases for every store: the name and address that a provider sends are kept with the identity. */
import assert from "node:assert/strict";
import type { AuthenticatedIdentity } from "../../../src/domain/ports/authenticator.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { at, logIn, NOW, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const BROWSER = sha256("a browser");
const TOLD: readonly AuthenticatedIdentity[] = [
  { id: "ann", state: {}, profile: { name: "Änn 🔑 O'Lee", email: "ann@lab.example" } },
  { id: "ann", state: { groups: ["one"] }, profile: { name: "Ann" } },
  { id: "ann", state: {}, profile: {} },
  { id: "ann", state: {} },
];

/** The rows themselves are in `../profiles.test.ts`. */
export const profileCases: readonly Case[] = [
  [
    "a profile waits with a one-time code",
    async ({ browserLogins }) => {
      const code = { provider: "toy", browser: BROWSER, challenge: null, expirationTime: at(60) };
      for (const [index, identity] of TOLD.entries()) {
        await browserLogins.issueCode(sha256(`code ${index}`), { ...code, identity });
        assert.deepEqual((await browserLogins.findCode(sha256(`code ${index}`)))?.identity, identity);
      }
    },
  ],
  [
    "a profile waits with a device login, before its confirmation and after",
    async ({ deviceLogins }) => {
      for (const [index, identity] of TOLD.entries()) {
        const deviceCode = sha256(`device ${index}`);
        const state = sha256(`state ${index}`);
        const change = { deviceCode, now: NOW, context: ORIGIN };
        await deviceLogins.start({
          ...change,
          provider: "toy",
          redirectUri: "https://tiled.example/device_code",
          nonce: "n",
          codeVerifier: "v",
          state,
          userCode: `1234567${index}`,
          userAgent: null,
          place: "192.0.2.7",
          limit: 100,
          expirationTime: at(900),
        });
        await deviceLogins.signIn({ ...change, browser: BROWSER, identity });
        const signedIn = { kind: "signed_in", browser: BROWSER, identity };
        assert.deepEqual((await deviceLogins.byState(state))?.phase, signedIn);
        await deviceLogins.confirm({ ...change, limit: 9 });
        const confirmed = { ...signedIn, kind: "confirmed" };
        assert.deepEqual((await deviceLogins.byDeviceCode(deviceCode))?.phase, confirmed);
      }
    },
  ],
  [
    "a login that tells a profile answers like any other, and shows it nowhere",
    async (store) => {
      const profile = { name: "Ann Lee", email: "ann@lab.example" };
      const plain = await logIn(store, "bob");
      const told = await logIn(store, "ann", { profile });
      assert.deepEqual(Object.keys(told), Object.keys(plain));
      for (const shown of [
        told,
        await store.principals.document(told.principal.uuid, NOW),
        await store.principals.list({ offset: 0, limit: 10 }, NOW),
        await store.audit.read({ limit: 100 }),
      ]) {
        assert.doesNotMatch(JSON.stringify(shown), /Ann Lee|@/);
      }
    },
  ],
];
