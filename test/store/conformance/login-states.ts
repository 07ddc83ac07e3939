import assert from "node:assert/strict";
import { at, logIn, NOW } from "../support.ts";
import type { Case } from "./case.ts";

const groups = (count: number, of = "group") => ({
  groups: Array.from({ length: count }, (_, index) => `${of}-of-the-institute-${index}`),
});

export const loginStateCases: readonly Case[] = [
  [
    "a long state is stored once for each identity, shown once, and holds for policies until the next login",
    async (store) => {
      const long = groups(500);
      const { principal } = await logIn(store, "ann", { state: groups(500, "former") });
      for (let login = 0; login < 60; login++) {
        const { session } = await logIn(store, "ann", { state: long, now: at(login) });
        // Tokens leave it out as well.
        assert.deepEqual(session.state, {});
      }
      const document = await store.principals.document(principal.uuid, NOW);
      const states = document?.sessions.map(({ state }) => state) ?? [];
      assert.deepEqual(states.at(-1), long);
      assert.ok(states.slice(0, -1).every((state) => Object.keys(state).length === 0));
      const [listed] = await store.principals.list({ offset: 0, limit: 10 }, NOW);
      assert.deepEqual(listed, document);
      assert.deepEqual(await store.accounts.latestState(principal.uuid, "toy"), long);
      // The state of an earlier, longer login does not replace a shorter one.
      await logIn(store, "ann", { state: { groups: ["one"] }, now: at(99) });
      assert.deepEqual(await store.accounts.latestState(principal.uuid, "toy"), { groups: ["one"] });
      await logIn(store, "ann", { now: at(100) });
      assert.deepEqual(await store.accounts.latestState(principal.uuid, "toy"), {});
    },
  ],
  [
    "short states stay with their sessions, and a document shows the newest that fit",
    async (store) => {
      const { principal } = await logIn(store, "ann", { state: { n: 0 } });
      for (let login = 1; login < 60; login++) {
        const { session } = await logIn(store, "ann", { state: { n: login, ...groups(40) }, now: at(login) });
        assert.deepEqual(session.state, { n: login, ...groups(40) });
        assert.deepEqual((await store.sessions.status(session.uuid))?.state, session.state);
      }
      const document = await store.principals.document(principal.uuid, NOW);
      const shown = (document?.sessions ?? []).flatMap(({ state }) => state["n"] ?? []);
      assert.ok(shown.length > 8 && shown.length < 20, String(shown));
      assert.equal(shown.at(-1), 59);
      assert.ok(JSON.stringify(document).length < 40_000);
    },
  ],
];
