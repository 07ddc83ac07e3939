import assert from "node:assert/strict";
import type { BeginLogin, IssuedCode } from "../../../src/domain/login-ports.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import type { Case } from "../conformance.ts";
import { at, login, NOW } from "../support.ts";

const BROWSER = sha256("a browser");
const GOAL = { kind: "application", state: "st ä", challenge: null } as const;

let made = 0;

function newLogin(changes: Partial<BeginLogin> = {}): BeginLogin {
  made += 1;
  return {
    provider: "orcid",
    redirectUri: "https://tiled.example/code",
    nonce: "n".repeat(64),
    codeVerifier: "v".repeat(64),
    goal: GOAL,
    state: sha256(`state ${made}`),
    browser: BROWSER,
    place: "192.0.2.7",
    limit: 100,
    now: NOW,
    expirationTime: at(600),
    ...changes,
  };
}

function newCode(changes: Partial<IssuedCode> = {}): IssuedCode {
  return {
    provider: "orcid",
    browser: BROWSER,
    challenge: "c".repeat(43),
    identity: { id: "ann", state: { given: "Änn" } },
    expirationTime: at(60),
    ...changes,
  };
}

const asOrcid = login("ann", { identity: { provider: "orcid", id: "ann" }, now: at(1) });

export const browserLoginCases: readonly Case[] = [
  [
    "a browser login is claimed once, also among many at once",
    async ({ browserLogins }) => {
      const begun = newLogin();
      assert.equal((await browserLogins.begin(begun)).kind, "begun");
      const request = { state: begun.state, provider: "orcid", browser: BROWSER, now: at(1) };
      const claims = await Promise.all(Array.from({ length: 5 }, () => browserLogins.claim(request)));
      const [claimed, ...others] = claims.sort((a, b) => a.kind.localeCompare(b.kind));
      assert.deepEqual(claimed, {
        kind: "claimed",
        login: {
          provider: "orcid",
          redirectUri: begun.redirectUri,
          nonce: begun.nonce,
          codeVerifier: begun.codeVerifier,
          goal: GOAL,
        },
      });
      assert.deepEqual(others, Array(4).fill({ kind: "unknown" }));
    },
  ],
  [
    "another browser, none, and another provider leave a browser login as it is",
    async ({ browserLogins }) => {
      const begun = newLogin();
      await browserLogins.begin(begun);
      const request = { state: begun.state, provider: "orcid", browser: BROWSER, now: at(599) };
      for (const wrong of [{ browser: sha256("b") }, { browser: null }, { provider: "other" }]) {
        assert.equal((await browserLogins.claim({ ...request, ...wrong })).kind, "elsewhere");
      }
      assert.equal((await browserLogins.claim({ ...request, now: at(600) })).kind, "unknown");
      assert.equal((await browserLogins.claim(request)).kind, "claimed");
    },
  ],
  [
    "browser logins of one place are limited",
    async ({ browserLogins }) => {
      for (const expected of ["begun", "begun", "limit"]) {
        assert.equal((await browserLogins.begin(newLogin({ limit: 2 }))).kind, expected);
      }
      assert.equal((await browserLogins.begin(newLogin({ limit: 2, place: "b" }))).kind, "begun");
      const later = newLogin({ limit: 2, now: at(601), expirationTime: at(1201) });
      assert.equal((await browserLogins.begin(later)).kind, "begun");
    },
  ],
  [
    "a one-time code becomes one session, also among many that redeem it at once",
    async (store) => {
      const { browserLogins } = store;
      const code = sha256("code");
      await browserLogins.issueCode(code, newCode());
      assert.deepEqual(await browserLogins.findCode(code), newCode());
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, () => browserLogins.redeemCode(code, asOrcid)),
      );
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), [...Array(4).fill("gone"), "opened"]);
      assert.equal(await browserLogins.findCode(code), undefined);
    },
  ],
  [
    "an expired code opens nothing; one whose session is refused is used up",
    async (store) => {
      const { browserLogins } = store;
      const [late, refused] = [sha256("late"), sha256("refused")];
      await browserLogins.issueCode(late, newCode({ challenge: null }));
      assert.equal((await browserLogins.redeemCode(late, { ...asOrcid, now: at(60) })).kind, "gone");
      await browserLogins.issueCode(refused, newCode());
      assert.equal((await browserLogins.redeemCode(refused, { ...asOrcid, limit: 0 })).kind, "limit");
      assert.equal((await browserLogins.redeemCode(refused, asOrcid)).kind, "gone");
      assert.equal(await store.principals.summaryOfIdentity(asOrcid.identity), undefined);
    },
  ],
  [
    "expired browser logins and codes are purged, the others stay",
    async ({ browserLogins, maintenance }) => {
      const [old, young] = [newLogin(), newLogin({ expirationTime: at(700) })];
      await browserLogins.begin(old);
      await browserLogins.begin(young);
      await browserLogins.issueCode(sha256("old"), newCode());
      await browserLogins.issueCode(sha256("young"), newCode({ expirationTime: at(700) }));
      assert.equal((await maintenance.purge(at(601), 1, null)).more, true);
      assert.equal((await maintenance.purge(at(601), 1, null)).more, false);
      assert.equal(await browserLogins.findCode(sha256("old")), undefined);
      assert.notEqual(await browserLogins.findCode(sha256("young")), undefined);
      const claim = { state: young.state, provider: "orcid", browser: BROWSER, now: at(602) };
      assert.equal((await browserLogins.claim(claim)).kind, "claimed");
    },
  ],
];
