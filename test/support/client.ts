/**
 * The client library against an application in the test's process: no sockets, its clock stands still, and no pause takes
 * time.
 */

import type { TestContext } from "node:test";
import type { InjectOptions } from "fastify";
import type { TestApp } from "./app.ts";

export const API = "http://localhost/api/v1/";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
}

export interface Wire {
  readonly fetch: typeof fetch;
  /** Every request that was sent. */
  readonly asked: Asked[];
  /** Answers the next matching requests instead of the application. */
  instead(path: string, ...answers: (Response | Error)[]): void;
  /** How many requests to this path were sent. */
  count(path: string): number;
}

/** A `fetch` that ends in the application. */
export function wireTo(t: Pick<TestApp, "app">): Wire {
  const asked: Asked[] = [];
  const planned = new Map<string, (Response | Error)[]>();
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    asked.push({
      method: request.method,
      url: request.url,
      authorization: request.headers.get("authorization"),
    });
    request.signal.throwIfAborted();
    const planed = [...planned].find(([path]) => pathname.endsWith(path))?.[1].shift();
    if (planed instanceof Error) throw planed;
    if (planed !== undefined) return planed;
    const body = Buffer.from(await request.arrayBuffer());
    const options: InjectOptions = {
      method: request.method as "GET",
      url: pathname + search,
      headers: { ...Object.fromEntries(request.headers), host: "localhost" },
      ...(body.length > 0 && { payload: body }),
    };
    const answer = await t.app.inject(options);
    request.signal.throwIfAborted();
    const empty = answer.statusCode === 204 || answer.statusCode === 304;
    return new Response(empty ? null : new Uint8Array(answer.rawPayload), {
      status: answer.statusCode,
      headers: Object.entries(answer.headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((text): [string, string] => [name, String(text)]),
      ),
    });
  };
  return {
    fetch: send,
    asked,
    instead: (path, ...answers) => planned.set(path, answers),
    count: (path) => asked.filter(({ url }) => new URL(url).pathname.endsWith(path)).length,
  };
}

/** The client's pauses end at once; what they would have been, in milliseconds. Other timers stay as they are. */
export function withoutPauses(t: TestContext): number[] {
  const pauses: number[] = [];
  const real = globalThis.setTimeout;
  const quick = (work: () => void, ms = 0): NodeJS.Timeout => {
    const [, ...frames] = new Error().stack?.split("\n") ?? [];
    const caller = frames.find((frame) => /\/src\//.test(frame)) ?? "";
    if (!caller.includes("/src/client/wait.ts") || caller.includes("async ")) return real(work, ms);
    pauses.push(ms);
    return real(work, 0);
  };
  t.mock.method(globalThis, "setTimeout", quick as typeof setTimeout);
  return pauses;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** As Node's `fetch` fails where no server listens. */
export function refused(): Error {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  return new TypeError("fetch failed", { cause });
}
