/** The log for a person: what stands in a line, and what can never stand there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { prettyLines } from "../../src/lib/pretty-lines.ts";

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const plain = prettyLines({ colours: false, isoTimes: true });
const show = (line: object) => plain(`${JSON.stringify({ level: 30, time: TIME, ...line })}\n`);

const REQUEST = {
  reqId: "abc",
  method: "GET",
  path: "/api/v1/auth/whoami",
  status: 200,
  ms: 1.2,
  address: "192.0.2.1",
  principal: "6b1d5d0e-0000-4000-8000-000000000000",
  name: "toy:alice",
  msg: "request",
};

test("a request is one line: time, status, route, duration, caller and address", () => {
  assert.equal(
    show(REQUEST),
    "2026-01-02T03:04:05.678Z 200  GET /api/v1/auth/whoami  1.2 ms  toy:alice  192.0.2.1\n",
  );
  assert.match(show({ ...REQUEST, name: undefined, principal: "anonymous" }), / {2}anonymous {2}192/);
  assert.match(show({ ...REQUEST, event: "login" }), / {2}toy:alice logged in {2}192\.0\.2\.1\n$/);
  assert.match(
    show({ ...REQUEST, status: 401, code: "expired_token", reason: "Access token has expired." }),
    / 401 .* {2}expired_token: Access token has expired\. {2}abc\n$/,
  );
  assert.match(show({ ...REQUEST, aborted: true }), / {2}hung up\n$/);
});

test("the time of day is this machine's, unless dates are asked for", () => {
  const local = prettyLines({ colours: false, isoTimes: false })(
    `${JSON.stringify({ time: TIME, msg: "a" })}\n`,
  );
  assert.match(local, /^\d\d:\d\d:05\.678 /);
});

test("other lines have their level, their facts, and the stack of an error below", () => {
  assert.equal(show({ msg: "Stopped." }), "2026-01-02T03:04:05.678Z INFO Stopped.\n");
  assert.equal(
    show({ level: 40, msg: "dropped", lines: 3, why: { a: [1] } }),
    '2026-01-02T03:04:05.678Z WARN dropped  lines=3  why={"a":[1]}\n',
  );
  assert.equal(
    show({
      level: 50,
      msg: "unexpected error",
      err: { message: "x", stack: "Error: x\n    at f (a.ts:1:2)" },
    }),
    "2026-01-02T03:04:05.678Z ERROR unexpected error\n    Error: x\n    at f (a.ts:1:2)\n",
  );
  assert.equal(plain("no JSON\u001b[2J\n"), "no JSON\\u{1b}[2J\n");
});

test("only our own text is coloured", () => {
  const coloured = prettyLines({ colours: true, isoTimes: true });
  const line = coloured(`${JSON.stringify({ level: 30, time: TIME, ...REQUEST })}\n`);
  assert.ok(line.includes("\u001b[32m200\u001b[39m"));
  assert.ok(line.includes("\u001b[36mtoy:alice\u001b[39m"));
  assert.equal(stripVTControlCharacters(line), show(REQUEST));
});

test("nothing that others chose commands the terminal, in no field and no kind of line", () => {
  const evil = "\u001b[31m\u009b2J\u202e\r\n\u0007\u2028x";
  const lines = [
    Object.fromEntries(
      Object.keys(REQUEST).map((key) => [key, key === "msg" ? "request" : key === "status" ? 500 : evil]),
    ),
    { msg: evil, [evil]: evil, list: [evil], err: { message: evil, stack: `${evil}\n${evil}` } },
    { msg: "request", status: 200, time: evil, level: evil },
    { ...REQUEST, event: "login", name: evil, code: evil, reason: evil },
  ];
  for (const line of lines) {
    const shown = show(line);
    assert.doesNotMatch(shown.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.match(shown, /u\{1b\}|^- /);
  }
  // Each ends its line once: what is below it is indented.
  assert.ok(
    show(lines[1] ?? {})
      .trimEnd()
      .split("\n")
      .slice(1)
      .every((line) => line.startsWith("    ")),
  );
});
