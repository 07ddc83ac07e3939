/**
 * The recorded exchanges against our own application, in the test's process and with a clock that the test moves.
 * `test/real/exchanges.test.ts` plays the same scenes at the real Tiled.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InjectOptions } from "fastify";
import { loadAuthenticators } from "../../src/authenticators/load.ts";
import { configFromObject } from "../../src/config/load.ts";
import { type TestApp, testApp } from "../support/app.ts";
import type { Answered } from "./check.ts";
import { readThemes, type Scene } from "./exchange.ts";
import { type Request, replay } from "./replay.ts";
import { configOf } from "./servers.ts";

const HOST = "tiled.test";

for (const [theme, scenes] of readThemes()) {
  for (const [index, scene] of scenes.entries()) {
    test(`${theme} ${index + 1}`, async (t) => {
      const { secretKey } = configOf(scene);
      await using ours = await open(scene);
      await replay(t, scene, {
        side: "ours",
        base: `http://${HOST}`,
        secretKey,
        send: (request) => send(ours, request),
        wait: async (seconds) => ours.clock.advance(seconds),
      });
    });
  }
}

test("every deliberate difference has its reason", () => {
  const steps = [...readThemes().values()].flat().flatMap(({ exchanges }) => exchanges);
  for (const step of steps) {
    if (typeof step !== "string") assert.equal("ours" in step, "because" in step, step.name);
  }
});

async function open(scene: Scene): Promise<TestApp & AsyncDisposable> {
  const { authentication, server, allowOrigins } = configFromObject(configOf(scene).config, {});
  return await testApp({
    authentication,
    server,
    allowOrigins,
    providers: authentication.providers.length > 0,
    authenticators: await loadAuthenticators(authentication.providers, ".", () => undefined),
    ...(authentication.secretKeys !== null && {
      secretKeys: authentication.secretKeys.map((key) => key.reveal()),
    }),
    ...(authentication.singleUserApiKey && { singleUserKey: authentication.singleUserApiKey.reveal() }),
  });
}

async function send(ours: TestApp, { method, path, headers, body }: Request): Promise<Answered> {
  const response = await ours.call({
    method: method as NonNullable<InjectOptions["method"]>,
    url: path,
    headers: { host: HOST, "user-agent": "", ...headers },
    ...(body && { payload: body }),
  });
  const { "set-cookie": cookies = [], ...rest } = response.headers;
  return {
    status: response.statusCode,
    headers: rest as Record<string, string>,
    cookies: [cookies].flat() as string[],
    body: response.rawPayload,
  };
}
