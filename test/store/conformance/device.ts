import assert from "node:assert/strict";
import type { DeviceChange, StartDeviceLogin } from "../../../src/domain/ports/logins.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { type Digest, sha256 } from "../../../src/lib/secrets.ts";
import { at, logIn, login, NOW, ORIGIN, opened } from "../support.ts";
import type { Case } from "./case.ts";

const BROWSER = sha256("a browser");

let made = 0;

function newStart(changes: Partial<StartDeviceLogin> = {}): StartDeviceLogin {
  made += 1;
  return {
    provider: "orcid",
    redirectUri: "https://tiled.example/device_code",
    nonce: "n".repeat(64),
    codeVerifier: "v".repeat(64),
    deviceCode: sha256(`device ${made}`),
    userCode: `${10_000_000 + made}`,
    state: sha256(`state ${made}`),
    userAgent: "python-tiled/0.2.20",
    place: "192.0.2.7",
    limit: 100,
    now: NOW,
    expirationTime: at(900),
    context: ORIGIN,
    ...changes,
  };
}

function change(deviceCode: Digest, seconds = 1): DeviceChange {
  return { deviceCode, now: at(seconds), context: ORIGIN };
}

async function signedIn(store: Store, id = "ann", state = {}): Promise<StartDeviceLogin> {
  const start = newStart();
  assert.equal((await store.deviceLogins.start(start)).kind, "started");
  const request = { ...change(start.deviceCode), browser: BROWSER, identity: { id, state } };
  assert.equal((await store.deviceLogins.signIn(request)).kind, "signed_in");
  return start;
}

async function confirmed(store: Store, id = "ann"): Promise<StartDeviceLogin> {
  const start = await signedIn(store, id, { given: "Änn" });
  const outcome = await store.deviceLogins.confirm({ ...change(start.deviceCode), limit: 200 });
  assert.equal(outcome.kind, "confirmed");
  return start;
}

async function phase(store: Store, { deviceCode }: StartDeviceLogin) {
  return (await store.deviceLogins.byDeviceCode(deviceCode))?.phase;
}

async function noted(store: Store): Promise<string[]> {
  return (await store.audit.read({ limit: 100 })).map(({ event }) => event);
}

const asOrcid = (id: string) => login(id, { identity: { provider: "orcid", id }, now: at(2) });

export const deviceCases: readonly Case[] = [
  [
    "device codes that are asked for at the same moment are not mixed up",
    async (store) => {
      const names = ["ann", "bob", "cara", "dan", "eve"];
      const starts: StartDeviceLogin[] = [];
      for (const name of names) starts.push(await signedIn(store, name));
      const found = await Promise.all(
        starts.flatMap(({ deviceCode }) => [
          store.deviceLogins.byDeviceCode(deviceCode),
          store.deviceLogins.byDeviceCode(sha256(deviceCode)),
        ]),
      );
      assert.deepEqual(
        found.map((polled) => (polled?.phase.kind === "signed_in" ? polled.phase.identity.id : undefined)),
        names.flatMap((name) => [name, undefined]),
      );
    },
  ],
  [
    "a device login is found by its code and by its state, with all that it began with",
    async (store) => {
      const start = newStart({ userAgent: null });
      await store.deviceLogins.start(start);
      const expected = {
        deviceCode: start.deviceCode,
        provider: "orcid",
        userCode: start.userCode,
        expirationTime: at(900),
        redirectUri: start.redirectUri,
        nonce: start.nonce,
        codeVerifier: start.codeVerifier,
        startedAt: NOW,
        address: ORIGIN.address,
        userAgent: null,
        phase: { kind: "waiting" },
      };
      const { provider, expirationTime, phase } = expected;
      const polled = { provider, expirationTime, phase };
      assert.deepEqual(await store.deviceLogins.byDeviceCode(start.deviceCode), polled);
      assert.deepEqual(await store.deviceLogins.byState(start.state), expected);
      assert.equal(await store.deviceLogins.byDeviceCode(sha256("other")), undefined);
      assert.equal(await store.deviceLogins.byState(start.deviceCode), undefined);
    },
  ],
  [
    "a user code belongs to one login at a time, also among logins that start at once",
    async (store) => {
      const userCode = "2222AAAA";
      assert.equal((await store.deviceLogins.start(newStart({ userCode }))).kind, "started");
      assert.equal((await store.deviceLogins.start(newStart({ userCode }))).kind, "taken");
      const later = newStart({ userCode, now: at(901), expirationTime: at(1801) });
      assert.equal((await store.deviceLogins.start(later)).kind, "started");
      assert.equal((await noted(store)).length, 2);
    },
  ],
  [
    "pending logins of one place are limited: the oldest is dropped, unconfirmed ones first",
    async ({ deviceLogins }) => {
      const starts = [0, 1, 2, 3].map((second) => newStart({ limit: 2, now: at(second) }));
      const [first, second, third, fourth] = starts as [
        StartDeviceLogin,
        StartDeviceLogin,
        StartDeviceLogin,
        StartDeviceLogin,
      ];
      const elsewhere = newStart({ limit: 2, place: "b" });
      for (const start of [elsewhere, first, second]) await deviceLogins.start(start);
      await deviceLogins.signIn({ ...change(first.deviceCode), browser: BROWSER, identity: { id: "ann" } });
      const there = async () =>
        (await Promise.all([elsewhere, ...starts].map(({ state }) => deviceLogins.byState(state)))).map(
          (found) => found !== undefined,
        );
      assert.equal((await deviceLogins.start(third)).kind, "started");
      assert.deepEqual(await there(), [true, true, false, true, false]);
      assert.equal((await deviceLogins.start(fourth)).kind, "started");
      assert.deepEqual(await there(), [true, true, false, false, true]);
    },
  ],
  [
    "one browser signs in, once",
    async (store) => {
      const start = newStart();
      await store.deviceLogins.start(start);
      const request = { ...change(start.deviceCode), browser: BROWSER, identity: { id: "ann" } };
      const outcomes = await Promise.all(
        ["a", "b", "c", "d"].map((name) =>
          store.deviceLogins.signIn({ ...request, browser: sha256(name), identity: { id: name } }),
        ),
      );
      assert.equal(outcomes.filter(({ kind }) => kind === "signed_in").length, 1);
      assert.equal((await store.deviceLogins.signIn(request)).kind, "over");
      const late = newStart();
      await store.deviceLogins.start(late);
      const tooLate = { ...request, ...change(late.deviceCode, 900) };
      assert.equal((await store.deviceLogins.signIn(tooLate)).kind, "over");
      assert.deepEqual(await phase(store, late), { kind: "waiting" });
    },
  ],
  [
    "only a login with an identity can be confirmed, and only before it expires",
    async (store) => {
      const waiting = newStart();
      await store.deviceLogins.start(waiting);
      const { deviceLogins } = store;
      assert.equal((await deviceLogins.confirm({ ...change(waiting.deviceCode), limit: 9 })).kind, "over");
      assert.equal((await deviceLogins.confirm({ ...change(sha256("none")), limit: 9 })).kind, "over");
      const late = await signedIn(store);
      assert.equal((await deviceLogins.confirm({ ...change(late.deviceCode, 900), limit: 9 })).kind, "over");
      const start = await confirmed(store);
      assert.deepEqual(await phase(store, start), {
        kind: "confirmed",
        browser: BROWSER,
        identity: { id: "ann", state: { given: "Änn" } },
      });
      assert.equal((await deviceLogins.confirm({ ...change(start.deviceCode), limit: 9 })).kind, "over");
      assert.equal((await deviceLogins.collect(late.deviceCode, asOrcid("ann"))).kind, "gone");
    },
  ],
  [
    "a confirmed login becomes one session, also among many that collect at once",
    async (store) => {
      const start = await confirmed(store);
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, () => store.deviceLogins.collect(start.deviceCode, asOrcid("ann"))),
      );
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), [...Array(5).fill("gone"), "opened"]);
      assert.equal(await store.deviceLogins.byDeviceCode(start.deviceCode), undefined);
      assert.equal(await store.deviceLogins.byState(start.state), undefined);
      const document = await store.principals.summaryOfIdentity({ provider: "orcid", id: "ann" });
      assert.equal(document?.identities.length, 1);
      assert.deepEqual(await noted(store), [
        "device_login_started",
        "device_login_confirmed",
        "principal_created",
        "login",
      ]);
    },
  ],
  [
    "an expired login is not collected, and the purge deletes its row",
    async (store) => {
      const start = await confirmed(store);
      const late = { ...asOrcid("ann"), now: at(900) };
      assert.equal((await store.deviceLogins.collect(start.deviceCode, late)).kind, "gone");
      assert.equal(
        (await store.maintenance.purge({ now: at(901), batch: 10, auditBefore: null })).pendingSessions,
        1,
      );
      assert.equal(await store.deviceLogins.byState(start.state), undefined);
      assert.equal(
        (await store.deviceLogins.start({ ...start, limit: 1 })).kind,
        "started",
        "nothing is left",
      );
    },
  ],
  [
    "a principal that is disabled, or has too many sessions, is refused when confirming and when collecting",
    async (store) => {
      const orcid = (id: string) => ({ identity: { provider: "orcid", id } });
      const { principal } = await logIn(store, "ann", orcid("ann"));
      const full = await signedIn(store);
      assert.deepEqual(await store.deviceLogins.confirm({ ...change(full.deviceCode), limit: 1 }), {
        kind: "refused",
        reason: "session_limit",
      });
      assert.deepEqual(await phase(store, full), { kind: "refused", reason: "session_limit" });
      const [filling, disabling] = [await confirmed(store), await confirmed(store)];
      const limited = { ...asOrcid("ann"), limit: 1 };
      assert.equal((await store.deviceLogins.collect(filling.deviceCode, limited)).kind, "limit");
      assert.deepEqual(await phase(store, filling), { kind: "refused", reason: "session_limit" });
      const late = await signedIn(store);
      await store.principals.setDisabled({
        principal: principal.uuid,
        disabled: true,
        now: at(3),
        context: ORIGIN,
      });
      assert.equal((await store.deviceLogins.collect(disabling.deviceCode, asOrcid("ann"))).kind, "disabled");
      assert.deepEqual(await phase(store, disabling), { kind: "refused", reason: "principal_disabled" });
      assert.deepEqual(await store.deviceLogins.confirm({ ...change(late.deviceCode), limit: 9 }), {
        kind: "refused",
        reason: "principal_disabled",
      });
      const rows = await store.audit.read({
        limit: 9,
        events: ["device_login_refused"],
        principal: principal.uuid,
      });
      assert.equal(rows.length, 4);
    },
  ],
  [
    "wrong codes are counted exactly, and the last one ends the login",
    async (store) => {
      const start = await signedIn(store);
      const wrong = { ...change(start.deviceCode), tries: 8 };
      const left = await Promise.all(Array.from({ length: 7 }, () => store.deviceLogins.countWrong(wrong)));
      assert.deepEqual(left.map((outcome) => outcome.left).sort(), [1, 2, 3, 4, 5, 6, 7]);
      assert.deepEqual(await store.deviceLogins.countWrong(wrong), { left: 0 });
      assert.deepEqual(await store.deviceLogins.countWrong(wrong), { left: 0 });
      assert.deepEqual(await phase(store, start), { kind: "refused", reason: "wrong_codes" });
      const rows = await store.audit.read({ limit: 100, events: ["login_failed"] });
      assert.deepEqual(
        rows.map(({ detail }) => detail["count"]),
        [1, 2, 3, 4, 5, 6, 7, 8],
      );
      assert.deepEqual(rows[0]?.identity, { provider: "orcid", id: "ann" });
      assert.equal(rows[0]?.principal, null, "it has no owner yet");
      const { principal } = await logIn(store, "ann", { identity: { provider: "orcid", id: "ann" } });
      const again = await signedIn(store);
      await store.deviceLogins.countWrong({ ...change(again.deviceCode), tries: 1 });
      const theirs = (await store.audit.read({ limit: 9, principal: principal.uuid })).slice(2);
      assert.deepEqual(
        theirs.map(({ event }) => event),
        ["login_failed", "device_login_refused"],
      );
    },
  ],
  [
    "a refusal keeps its first reason; one of an unknown code changes nothing",
    async (store) => {
      const start = await confirmed(store);
      await store.deviceLogins.refuse({ ...change(start.deviceCode), reason: "cancelled" });
      await store.deviceLogins.refuse({ ...change(start.deviceCode), reason: "denied_by_provider" });
      await store.deviceLogins.refuse({ ...change(sha256("none")), reason: "cancelled" });
      assert.deepEqual(await phase(store, start), { kind: "refused", reason: "cancelled" });
      assert.equal((await store.deviceLogins.collect(start.deviceCode, asOrcid("ann"))).kind, "gone");
      assert.equal((await noted(store)).filter((event) => event === "device_login_refused").length, 1);
    },
  ],
  [
    "the session stores the state that the provider gave",
    async (store) => {
      const start = await confirmed(store);
      const request = { ...asOrcid("ann"), state: { given: "Änn" } };
      const outcome = await store.deviceLogins.collect(start.deviceCode, request);
      if (outcome.kind === "gone") assert.fail("gone");
      assert.deepEqual((await store.sessions.status(opened(outcome).session.uuid))?.state, { given: "Änn" });
    },
  ],
];
