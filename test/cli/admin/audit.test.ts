import assert from "node:assert/strict";
import { test } from "node:test";
import { auditJson, auditLine } from "../../../src/cli/admin/audit.ts";
import type { AuditRow } from "../../../src/domain/model/entities.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";

const PRINCIPAL = "01234567-89ab-cdef-0123-456789abcdef" as Uuid;

function row(id: number, changes: Partial<AuditRow> = {}): AuditRow {
  return {
    id,
    time: new Date("2026-01-31T12:00:00.123Z"),
    event: "login_failed",
    principal: null,
    identity: { provider: "toy", id: "alice" },
    actor: null,
    address: "192.0.2.7",
    requestId: "0123456789abcdef",
    detail: { reason: "wrong_password" },
    ...changes,
  };
}

test("an event is one line of its known fields", () => {
  assert.equal(
    auditLine(row(1)),
    "2026-01-31T12:00:00Z login_failed          identity=toy:alice from=192.0.2.7 request=0123456789abcdef reason=wrong_password",
  );
  assert.equal(
    auditLine(
      row(2, {
        event: "login",
        principal: PRINCIPAL,
        identity: null,
        address: null,
        requestId: null,
        detail: {},
      }),
    ),
    `2026-01-31T12:00:00Z login                 principal=${PRINCIPAL}`,
  );
});

test("a row that stands for many says so", () => {
  const folded = row(1, { count: 572, lastTime: new Date("2026-01-31T12:59:59.9Z") });
  assert.match(auditLine(folded), / request=0123456789abcdef count=572 until=2026-01-31T12:59:59Z reason=/);
  const json = JSON.parse(auditJson(folded));
  assert.deepEqual([json.count, json.last_time], [572, "2026-01-31T12:59:59.900Z"]);
});

test("a user name cannot forge a line or a fact", () => {
  const line = auditLine(row(1, { identity: { provider: "toy", id: 'x" from=10.0.0.1\n2026 login' } }));
  assert.match(line, /identity="toy:x\\" from=10\.0\.0\.1\\\\u\{a\}2026 login" from=192\.0\.2\.7 /);
  assert.equal(line.split("\n").length, 1);
});

test("JSON lines have all fields, unknown ones included", () => {
  assert.deepEqual(JSON.parse(auditJson(row(7, { address: null }))), {
    id: 7,
    time: "2026-01-31T12:00:00.123Z",
    event: "login_failed",
    principal: null,
    identity: { provider: "toy", id: "alice" },
    actor: null,
    address: null,
    request_id: "0123456789abcdef",
    detail: { reason: "wrong_password" },
  });
});

test("a user name as JSON cannot command a terminal", () => {
  const identity = { provider: "toy", id: "\u009b31m\u202e" };
  const json = auditJson(row(8, { identity, detail: { reason: "\u009d0;owned\u009c" } }));
  assert.doesNotMatch(json, /[\p{Cc}\p{Cf}]/u);
  assert.deepEqual((JSON.parse(json) as AuditRow).identity, identity);
});
