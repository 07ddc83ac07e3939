import assert from "node:assert/strict";
import { USER_ROLE } from "../../../src/domain/model/scopes.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import { at, logIn, NOW, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

export const adminCases: readonly Case[] = [
  [
    "an administrator who cannot log in does not replace one who can: neither a mere name nor a service without a live key",
    async (store) => {
      const { principal: ann } = await logIn(store, "ann", { admin: true });
      const ghost = { provider: "toy", id: "ghost" };
      await store.principals.ensureAdmins({ identities: [ghost], now: NOW, context: ORIGIN });
      const service = await store.principals.createService({ role: "admin", now: NOW, context: ORIGIN });
      assert.equal(service.kind, "created");
      const { uuid } = service as { uuid: Uuid };
      await store.apiKeys.create(newKey(uuid, { expirationTime: at(10) }));
      const { principal: cy } = await logIn(store, "cy");
      await store.apiKeys.create(newKey(cy.uuid));
      const refused = async (now: Date) => {
        const outcomes = [
          await store.principals.setDisabled({ principal: ann.uuid, disabled: true, now, context: ORIGIN }),
          await store.principals.revokeAdmin({ principal: ann.uuid, now, context: ORIGIN }),
        ];
        assert.deepEqual(outcomes, [{ kind: "last_admin" }, { kind: "last_admin" }]);
      };
      const allowed = async (now: Date) => {
        assert.deepEqual(
          await store.principals.setDisabled({ principal: ann.uuid, disabled: true, now, context: ORIGIN }),
          { kind: "done" },
        );
        await store.principals.setDisabled({ principal: ann.uuid, disabled: false, now, context: ORIGIN });
      };
      await refused(at(10));
      await allowed(at(9));
      await store.apiKeys.create(newKey(uuid));
      await allowed(at(10));
      await store.principals.setDisabled({ principal: uuid, disabled: true, now: NOW, context: ORIGIN });
      await refused(NOW);
      await logIn(store, "ghost");
      await allowed(NOW);
    },
  ],
  [
    "if no administrator has logged in, all but one can be disabled",
    async (store) => {
      const names = ["root", "second"].map((id) => ({ provider: "toy", id }));
      await store.principals.ensureAdmins({ identities: names, now: NOW, context: ORIGIN });
      const kinds = [];
      for (const name of names) {
        const found = await store.principals.summaryOfIdentity(name);
        kinds.push(
          (
            await store.principals.setDisabled({
              principal: found?.uuid ?? newUuid(),
              disabled: true,
              now: NOW,
              context: ORIGIN,
            })
          ).kind,
        );
      }
      assert.deepEqual(kinds, ["done", "last_admin"]);
    },
  ],
  [
    "the role admin is revoked, with its scopes, and granted again",
    async (store) => {
      const { principal: ann } = await logIn(store, "ann", { admin: true });
      const { principal: bob } = await logIn(store, "bob", { admin: true });
      const actor = newUuid();
      const revoke = (uuid: Uuid) =>
        store.principals.revokeAdmin({ principal: uuid, now: at(1), context: { ...ORIGIN, actor } });
      assert.deepEqual(await revoke(bob.uuid), { kind: "done" });
      assert.deepEqual((await store.principals.summary(bob.uuid))?.scopes, [...USER_ROLE.scopes].sort());
      assert.deepEqual(await revoke(bob.uuid), { kind: "no_admin" });
      assert.deepEqual(await revoke(ann.uuid), { kind: "last_admin" });
      assert.deepEqual(await revoke(newUuid()), { kind: "unknown" });
      const rows = await store.audit.read({ limit: 10, events: ["role_revoked"] });
      assert.deepEqual(
        rows.map(({ principal, actor: by, detail }) => ({ principal, by, detail })),
        [{ principal: bob.uuid, by: actor, detail: { role: "admin" } }],
      );
      const again = await logIn(store, "bob", { admin: true });
      assert.deepEqual(again.principal.scopes, ann.scopes);
      await store.principals.setDisabled({
        principal: bob.uuid,
        disabled: true,
        now: at(2),
        context: ORIGIN,
      });
      assert.deepEqual(await revoke(bob.uuid), { kind: "done" }, "of who is disabled, too");
      assert.deepEqual((await store.principals.summary(ann.uuid))?.scopes, ann.scopes);
    },
  ],
  [
    "one administrator remains if one is disabled while another loses the role",
    async (store) => {
      const admins = await Promise.all(["a", "b", "c", "d"].map((id) => logIn(store, id, { admin: true })));
      const outcomes = await Promise.all(
        admins.map(({ principal: { uuid } }, index) =>
          index % 2 === 0
            ? store.principals.setDisabled({ principal: uuid, disabled: true, now: NOW, context: ORIGIN })
            : store.principals.revokeAdmin({ principal: uuid, now: NOW, context: ORIGIN }),
        ),
      );
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ["done", "done", "done", "last_admin"]);
    },
  ],
];
