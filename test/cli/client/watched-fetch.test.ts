import assert from "node:assert/strict";
import { test } from "node:test";
import { watchedFetch } from "../../../src/cli/client/watched-fetch.ts";
import { progressOn } from "../../../src/cli/console/progress.ts";
import { TestTerminal } from "../../support/terminal.ts";

const URL = "https://alice:hunter2@tiled.example.org/api/v1/auth/whoami?api_key=s3cret#s3cret";

/** Answers in turn: a status, or an error. */
function watched(answers: readonly (number | Error)[], env: Readonly<Record<string, string>> = {}) {
  const terminal = new TestTerminal(env);
  const queue = [...answers];
  const send = async () => {
    const answer = queue.shift();
    if (typeof answer !== "number") throw answer;
    return new Response("s3cret", { status: answer, headers: { "x-tiled-request-id": "abc\u009b123" } });
  };
  return { terminal, send: watchedFetch(send, terminal, progressOn(terminal)) };
}

const refused = () =>
  new TypeError("fetch failed: s3cret", {
    cause: Object.assign(new Error("connect s3cret"), { code: "ECONNREFUSED" }),
  });

test("the first repeated request is announced, later ones are not", async () => {
  const { terminal, send } = watched([refused(), 503, 429, 200]);
  await assert.rejects(send(URL), TypeError);
  assert.equal(terminal.stderr, "");
  for (let attempt = 2; attempt <= 4; attempt++) await send(URL);
  assert.equal(
    terminal.stderr,
    "Retrying… https://tiled.example.org cannot be reached. The connection was refused.\n",
  );
  assert.equal(terminal.stdout, "");
});

test("the reason can be an answer or an unknown name, without a code of its own", async () => {
  const unknown = new TypeError("", { cause: Object.assign(new Error(), { code: "ENOTFOUND" }) });
  const reasons = [
    [503, "answered 503."],
    [unknown, "cannot be reached. There is no host of this name."],
    [new TypeError("s3cret"), "cannot be reached."],
  ] as const;
  for (const [answer, reason] of reasons) {
    const { terminal, send } = watched([answer, 200]);
    await send(URL).catch(() => {});
    await send(URL);
    assert.equal(terminal.stderr, `Retrying… https://tiled.example.org ${reason}\n`);
  }
});

test("requests that were answered, ended by the caller, or go elsewhere are no repetition", async () => {
  const { terminal, send } = watched([200, 401, new DOMException("", "AbortError"), 200, 500, 200]);
  await send(URL);
  await send(URL);
  await assert.rejects(send(URL));
  await send(URL);
  await send(URL, { method: "POST" });
  await send("https://tiled.example.org/api/v1/", { method: "POST" });
  assert.equal(terminal.stderr, "");
});

test("TILED_DEBUG=1 prints method, URL, status and request id, and no secret", async () => {
  const { terminal, send } = watched([200, 401, refused()], { TILED_DEBUG: "1" });
  await send(URL, { headers: { authorization: "Bearer s3cret" } });
  await send(
    new Request("https://tiled.example.org/api/v1/x?code=s3cret", { method: "POST", body: "s3cret" }),
  );
  await assert.rejects(send(new globalThis.URL(URL), { method: "DELETE" }));
  const place = "https://tiled.example.org/api/v1";
  assert.deepEqual(terminal.stderr.trimEnd().split("\n"), [
    `debug: GET ${place}/auth/whoami 200 abc\\u{9b}123`,
    `debug: POST ${place}/x 401 abc\\u{9b}123`,
    `debug: DELETE ${place}/auth/whoami failed: ECONNREFUSED`,
  ]);
});
