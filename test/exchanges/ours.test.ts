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
import { readThemes } from "./exchange.ts";
import { type Request, replay } from "./replay.ts";
import { configOf } from "./servers.ts";

const HOST = "tiled.localhost";

for (const [theme, scenes] of readThemes()) {
  for (const [index, scene] of scenes.entries()) {
    test(`${theme} ${index + 1}`, async (t) => {
      const { config, secretKey, other } = await configOf((step) => t.after(step), scene);
      await using ours = await open(config);
      await replay(t, scene, {
        side: "ours",
        base: `http://${HOST}`,
        other,
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

async function open(config: object): Promise<TestApp & AsyncDisposable> {
  const { authentication, server, allowOrigins } = configFromObject(config, {});
  const authenticators = await loadAuthenticators({
    providers: authentication.providers,
    directory: ".",
    warn: () => undefined,
  });
  for (const authenticator of authenticators.values()) await authenticator.start?.();
  const ours = await testApp({
    authentication,
    server,
    allowOrigins,
    providers: authentication.providers.length > 0,
    authenticators,
    ...(authentication.secretKeys !== null && {
      secretKeys: authentication.secretKeys.map((key) => key.reveal()),
    }),
    ...(authentication.singleUserApiKey && { singleUserKey: authentication.singleUserApiKey.reveal() }),
  });
  const close = async () => {
    for (const authenticator of authenticators.values()) await authenticator.stop?.();
    await ours.close();
  };
  return Object.assign(ours, { [Symbol.asyncDispose]: close });
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
