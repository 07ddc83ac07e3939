import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Call, Calls, within } from "../../../src/authenticators/oidc/calls.ts";
import { fails } from "./support.ts";

const CALL: Call = {
  url: "https://idp.example/token",
  what: "The token endpoint",
  setting: "args.token_uri",
};

function calls(answer: () => Promise<Response>, loopback = false) {
  const asked: string[] = [];
  const fetch = async (url: string | URL | Request) => {
    asked.push(String(url));
    return answer();
  };
  return { asked, made: new Calls({ fetch, deadline: 1000, loopback }) };
}

describe("calls to a provider", () => {
  test("nothing is sent where it must not be", async () => {
    const { asked, made } = calls(async () => Response.json({}));
    for (const url of ["http://idp.example/", "http://127.0.0.1/", "file:///etc/passwd", "nonsense"]) {
      await fails(made.json({ ...CALL, url }), "bad_gateway", /The token endpoint.*is not called/);
    }
    assert.deepEqual(asked, []);
    const local = calls(async () => Response.json({ ok: true }), true);
    assert.deepEqual(await local.made.json({ ...CALL, url: "http://[::1]:9000/" }), {
      status: 200,
      body: { ok: true },
    });
    await fails(local.made.json({ ...CALL, url: "http://10.0.0.1/" }), "bad_gateway", /is not called/);
  });

  test("the log names the endpoint and the setting, and not the query", async () => {
    const { made } = calls(async () => Response.json({}, { status: 503 }));
    await fails(
      made.json({ ...CALL, url: "https://idp.example/token?key=hunter2" }),
      "bad_gateway",
      /^The token endpoint \(https:\/\/idp\.example\/token, from args\.token_uri\) answered with status 503\.$/,
    );
  });

  test("the system's reason is logged", async () => {
    const cause = Object.assign(new Error("self-signed certificate"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
    const { made } = calls(async () => Promise.reject(new TypeError("fetch failed", { cause })));
    await fails(made.json(CALL), "bad_gateway", /cannot be reached: SELF_SIGNED_CERT_IN_CHAIN/);
  });

  test("text that is not UTF-8", async () => {
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]);
    const { made } = calls(
      async () => new Response(bytes, { headers: { "content-type": "application/json" } }),
    );
    await fails(made.json(CALL), "bad_gateway", /ENCODING/);
  });

  test("an answer that explains an error is read, others are not", async () => {
    const { made } = calls(async () => Response.json({ error: "invalid_grant" }, { status: 400 }));
    assert.equal((await made.json({ ...CALL, explained: [400] })).body["error"], "invalid_grant");
    await fails(made.json({ ...CALL, explained: [401] }), "bad_gateway", /status 400/);
  });
});

describe("waiting for a shared call", () => {
  test("ends with the login's own time, and leaves the others waiting", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const controller = new AbortController();
    const impatient = within(promise, controller.signal, "The key set");
    const patient = within(promise, new AbortController().signal, "The key set");
    controller.abort();
    await fails(impatient, "gateway_timeout", /The key set did not come in time/);
    resolve("here");
    assert.equal(await patient, "here");
  });

  test("does not begin where the time is over", async () => {
    const never = new Promise<never>(() => undefined);
    await fails(within(never, AbortSignal.abort(), "The key set"), "gateway_timeout", /in time/);
  });
});
