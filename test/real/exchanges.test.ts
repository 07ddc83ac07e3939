/**
 * The facts of `test/exchanges` against the server that they were taken from: what they say of the real Tiled is true.
 */
import { type IncomingMessage, request } from "node:http";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Answered } from "../exchanges/check.ts";
import { readThemes } from "../exchanges/exchange.ts";
import { type Request, replay } from "../exchanges/replay.ts";
import { configOf } from "../exchanges/servers.ts";
import { withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";

describe("the recorded exchanges, at the real Tiled", { skip: withoutTiled(), concurrency: 2 }, () => {
  for (const [theme, scenes] of readThemes()) {
    for (const [index, scene] of scenes.entries()) {
      test(`${theme} ${index + 1}`, { timeout: 120_000 }, async (t) => {
        const cleanup = t.after.bind(t);
        const { config, secretKey, other } = await configOf(cleanup, scene);
        const { url } = await startReference(cleanup, config);
        await replay(t, scene, {
          side: "reference",
          base: url,
          other,
          secretKey,
          send: (message) => send(url, message),
          wait: async (seconds) => void (await delay(seconds * 1000)),
        });
      });
    }
  }
});

/** Byte for byte, unlike `fetch`; on a connection of its own, since the reference drops one after a 500. */
async function send(base: string, { method, path, headers, body }: Request): Promise<Answered> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      `${base}${path}`,
      { method, headers: latin1(headers), agent: false },
      resolve,
    ).on("error", reject);
    outgoing.end(body);
  });
  const chunks: Buffer[] = await response.toArray();
  const { "set-cookie": cookies = [], ...rest } = response.headers;
  return {
    status: response.statusCode ?? 0,
    headers: rest as Record<string, string>,
    cookies,
    body: Buffer.concat(chunks),
  };
}

/** Header values are bytes; Node writes them as Latin-1. */
function latin1(headers: Readonly<Record<string, string>>): Record<string, string> {
  const bytes = ([name, value]: [string, string]) => [name, Buffer.from(value).toString("latin1")];
  return Object.fromEntries(Object.entries(headers).map(bytes));
}
