import assert from "node:assert/strict";
import type { OpenOutcome } from "../../../src/domain/ports/sessions.ts";
import { Failure } from "../../../src/errors.ts";
import type { Digest } from "../../../src/lib/secrets.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { at, logIn, login, NOW, newKey, ORIGIN, refresh } from "../support.ts";
import type { Case } from "./case.ts";

const HOSTILE = [
  "'; DROP TABLE principals; --",
  `" OR ""="`,
  "' OR '1'='1",
  "\\'; DELETE FROM sessions; --",
  "$1",
  "?",
  ":name",
  "%",
  "_",
  "a\nb\tc\u0001",
  "$" + "{x}",
  "\u202Eevil",
  "[]",
  "null",
  "",
];

/** Text that the databases store differently: refused the same way everywhere. */
const UNSTORABLE = ["a\0b", "\ud800", "x".repeat(256)];

export const hostileCases: readonly Case[] = [
  [
    "hostile text is only text, wherever it can be given",
    async (store) => {
      const context = { ...ORIGIN };
      for (const text of HOSTILE) {
        const identity = { provider: text, id: text };
        const from = { ...context, address: text, requestId: text.slice(0, 64) };
        const { principal, session } = await logIn(store, text, {
          identity,
          state: { [text]: text },
          context: from,
        });
        assert.deepEqual(principal.identities, [identity]);
        assert.deepEqual(await store.principals.summaryOfIdentity(identity), principal);
        assert.deepEqual((await store.sessions.status(session.uuid))?.state, { [text]: text });
        assert.deepEqual(await store.principals.createService({ role: text, now: NOW, context }), {
          kind: "unknown_role",
        });
        assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, text))).kind, "refreshed");
        assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, text))).kind, "refreshed");

        assert.deepEqual((await store.cave.person(principal.uuid))?.identities, [identity]);
        assert.deepEqual(
          (await store.cave.peopleByIdentity([identity])).map(({ uuid }) => uuid),
          [principal.uuid],
        );
        const digest = sha256(`login ${text}`);
        const opening = { digest, session: session.uuid, expirationTime: at(60), limit: 10, origin: text };
        await store.cave.openLogin({ ...opening, principal: principal.uuid, now: NOW, context });
        assert.equal((await store.cave.login(digest))?.origin, text);

        const request = newKey(principal.uuid, {
          note: text,
          scopes: [text],
          accessTags: [text],
          firstEight: text.slice(0, 8),
        });
        assert.deepEqual(await store.apiKeys.create(request), { kind: "created" });
        const found = await store.apiKeys.find(text.slice(0, 8), request.digest);
        assert.deepEqual([found?.note, found?.scopes, found?.accessTags], [text, [text], [text]]);

        await store.audit.append([
          { ...from, time: NOW, event: "login_failed", principal: null, identity, detail: { [text]: text } },
        ]);
        const [row] = await store.audit.read({ limit: 1, newest: true });
        assert.deepEqual([row?.identity, row?.address, row?.detail], [identity, text, { [text]: text }]);
        assert.equal(await store.failures.count(text, { failures: 1, per: 300 }), 0);

        for (const uuid of [text as Uuid]) {
          assert.equal(await store.principals.summary(uuid), undefined);
          assert.equal(await store.principals.document(uuid, NOW), undefined);
          assert.equal(await store.sessions.status(uuid), undefined);
          assert.deepEqual(await store.sessions.rotate(refresh(uuid, 0, "t")), { kind: "ended" });
          assert.deepEqual(
            await store.sessions.revoke({ session: uuid, principal: uuid, now: NOW, context }),
            { kind: "unknown" },
          );
          assert.deepEqual(
            await store.principals.setDisabled({ principal: uuid, disabled: true, now: NOW, context }),
            { kind: "unknown" },
          );
          assert.deepEqual(await store.apiKeys.create(newKey(uuid)), { kind: "unknown" });
          assert.deepEqual(
            await store.apiKeys.revoke({ principal: uuid, firstEight: text, now: NOW, context }),
            { kind: "unknown" },
          );
          assert.deepEqual(await store.audit.read({ limit: 5, principal: uuid }), []);
        }
        assert.equal(await store.apiKeys.find(text, text as Digest), undefined);
        assert.deepEqual(await store.audit.read({ limit: 5, events: [text as "login"] }), []);
      }
      assert.equal((await store.principals.list({ offset: 0, limit: 300 }, NOW)).length, HOSTILE.length);
    },
  ],
  [
    "identities that no database can store are refused as input, and never found",
    async (store) => {
      for (const text of UNSTORABLE) {
        for (const identity of [
          { provider: "toy", id: text },
          { provider: text, id: "ann" },
        ]) {
          const refused = (error: unknown) => error instanceof Failure && error.code === "invalid";
          await assert.rejects(logIn(store, "ann", { identity }), refused);
          await assert.rejects(
            store.principals.ensureAdmins({ identities: [identity], now: NOW, context: ORIGIN }),
            refused,
          );
          assert.equal(await store.principals.summaryOfIdentity(identity), undefined);
        }
      }
      // 255 characters are 255 characters, also where each takes two units or four bytes.
      await logIn(store, "\u{1F511}".repeat(255));
      await logIn(store, "é".repeat(255));
    },
  ],
  [
    "a provider's state that no database can store blocks no login, and changes no other value",
    async (store) => {
      const groups = ["admins\ud800", "ad\0mins", "\\u0000", "\u{1F511}"];
      const state = { groups, deep: [{ "\udc00": null }] };
      const kept = {
        groups: ["admins\ufffd", "ad\ufffdmins", "\\u0000", "\u{1F511}"],
        deep: [{ "\ufffd": null }],
      };
      const id = "ann";
      const open = login(id, { state });
      const opens = async (outcome: Promise<OpenOutcome | { readonly kind: "gone" }>) => {
        const found = await outcome;
        if (found.kind !== "opened") assert.fail(found.kind);
        assert.deepEqual(found.session.state, kept);
        assert.deepEqual((await store.sessions.status(found.session.uuid))?.state, kept);
        const { principal } = found.session;
        assert.deepEqual(await store.accounts.latestState(principal, "toy"), kept);
      };
      await opens(store.sessions.open(open));
      await opens(store.browserSessions.open(sha256("token"), open, null).then(({ outcome }) => outcome));

      const [browser, code] = [sha256("browser"), sha256("code")];
      const binding = { provider: "toy", redirectUri: "https://a", nonce: "n", codeVerifier: "v" };
      const issued = { provider: "toy", browser, challenge: null, expirationTime: at(60) };
      await store.browserLogins.issueCode(code, { ...issued, identity: { id, state } });
      assert.deepEqual((await store.browserLogins.findCode(code))?.identity.state, kept);
      await opens(store.browserLogins.redeemCode(code, open));

      const start = {
        ...binding,
        deviceCode: sha256("device"),
        userCode: "12345678",
        state: sha256("state"),
      };
      const times = { now: NOW, expirationTime: at(60), context: ORIGIN };
      await store.deviceLogins.start({ ...start, ...times, userAgent: null, place: "x", limit: 9 });
      const change = { deviceCode: start.deviceCode, now: NOW, context: ORIGIN };
      await store.deviceLogins.signIn({ ...change, browser, identity: { id, state } });
      const { kind } = await store.deviceLogins.confirm({ ...change, limit: 9 });
      assert.equal(kind, "confirmed");
      const phase = { kind, browser, identity: { id, state: kept } };
      assert.deepEqual((await store.deviceLogins.byDeviceCode(start.deviceCode))?.phase, phase);
      await opens(store.deviceLogins.collect(start.deviceCode, open));
    },
  ],
  [
    "NUL elsewhere is never an unknown error",
    async (store) => {
      const { principal, session } = await logIn(store, "ann");
      const allowed = async (work: Promise<unknown>) => {
        try {
          await work;
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
          assert.equal(error.code, "invalid");
        }
      };
      const text = "a\0b";
      await allowed(store.sessions.status(text as Uuid));
      await allowed(store.principals.summary(text as Uuid));
      await allowed(store.principals.createService({ role: text, now: NOW, context: ORIGIN }));
      await allowed(store.sessions.rotate(refresh(session.uuid, 0, text)));
      await allowed(store.apiKeys.create(newKey(principal.uuid, { note: text })));
      await allowed(store.apiKeys.find(text, sha256("x")));
      await allowed(
        store.apiKeys.revoke({ principal: principal.uuid, firstEight: text, now: NOW, context: ORIGIN }),
      );
      await allowed(
        store.audit.append([
          {
            ...ORIGIN,
            requestId: text,
            time: NOW,
            event: "login",
            principal: null,
            identity: null,
            detail: { a: text },
          },
        ]),
      );
      await store.maintenance.ping();
    },
  ],
];
