import assert from "node:assert/strict";
import type { IssuedCode, UseState } from "../../../src/domain/ports/logins.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { at, login } from "../support.ts";
import type { Case } from "./case.ts";

const BROWSER = sha256("a browser");

let made = 0;

function newState(changes: Partial<UseState> = {}): UseState {
  made += 1;
  return {
    state: sha256(`state ${made}`),
    place: "192.0.2.7",
    limit: 100,
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
    "a state is used once, also among many returns at once",
    async ({ browserLogins }) => {
      const state = newState();
      const uses = await Promise.all(Array.from({ length: 5 }, () => browserLogins.use(state)));
      assert.deepEqual(uses.map(({ kind }) => kind).sort(), ["fresh", ...Array(4).fill("used")]);
      assert.equal((await browserLogins.use(newState())).kind, "fresh");
    },
  ],
  [
    "the remembered returns of one place are limited: the oldest is dropped",
    async ({ browserLogins }) => {
      const states = [1, 2, 3].map((second) => newState({ limit: 2, expirationTime: at(600 + second) }));
      const elsewhere = newState({ limit: 2, place: "b" });
      for (const state of [elsewhere, ...states]) {
        assert.equal((await browserLogins.use(state)).kind, "fresh");
      }
      const again = async (state: UseState | undefined) =>
        state && (await browserLogins.use({ ...state, limit: 9 })).kind;
      assert.deepEqual(await Promise.all(states.slice(1).map(again)), ["used", "used"]);
      assert.equal(await again(elsewhere), "used");
      assert.equal(await again(states[0]), "fresh");
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
    "expired states and codes are purged, the others stay",
    async ({ browserLogins, maintenance }) => {
      const [old, young] = [newState(), newState({ expirationTime: at(700) })];
      await browserLogins.use(old);
      await browserLogins.use(young);
      await browserLogins.issueCode(sha256("old"), newCode());
      await browserLogins.issueCode(sha256("young"), newCode({ expirationTime: at(700) }));
      assert.equal((await maintenance.purge({ now: at(601), batch: 1, auditBefore: null })).more, true);
      assert.equal((await maintenance.purge({ now: at(601), batch: 1, auditBefore: null })).more, false);
      assert.equal(await browserLogins.findCode(sha256("old")), undefined);
      assert.notEqual(await browserLogins.findCode(sha256("young")), undefined);
      assert.equal((await browserLogins.use(young)).kind, "used");
      assert.equal((await browserLogins.use(old)).kind, "fresh");
    },
  ],
];
