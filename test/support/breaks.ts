/**
 * How an endpoint of the hostile provider can fail, whichever it is: wrong answers, and none.
 */
import type { ServerResponse } from "node:http";
import type { Endpoint, Misbehaviour } from "./misbehaviour.ts";

/** In front of a path, the answers are honest. */
export const MOVED = "/moved";
const HTML = "<!doctype html><title>Sign in</title>";

export const BREAKS = {
  html: (response) => void response.writeHead(200, { "content-type": "text/html" }).end(HTML),
  "html that says it is JSON": (response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(HTML),
  "JSON that is no object": (response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end("[1]"),
  "status 500": (response) =>
    void response.writeHead(500, { "content-type": "application/json" }).end('{"error": "server_error"}'),
  "JSON that says it is html": (response) =>
    void response.writeHead(200, { "content-type": "text/html" }).end("{}"),
  // Who follows it gets an honest answer there.
  "a redirect": (response) => void response.writeHead(307, { location: `${MOVED}${response.req.url}` }).end(),
  "a reset": (response) => void response.socket?.resetAndDestroy(),
  "an answer cut short": (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"a": ', () => response.destroy());
  },
  silence: () => undefined,
  "a flood": (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const part = `"${"x".repeat(65_536)}",`;
    response.write("[");
    const pour = () => {
      while (!response.destroyed && response.write(part));
    };
    response.on("drain", pour);
    pour();
  },
  "a trickle": (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(timer));
  },
} as const satisfies Record<string, (response: ServerResponse) => void>;

export type Break = keyof typeof BREAKS;
const SLOW_BREAKS: readonly Break[] = ["silence", "a trickle"];

/** What a login meets when an endpoint fails so. */
export function broken(endpoint: Endpoint, how: Break): Misbehaviour {
  const code = SLOW_BREAKS.includes(how) ? "gateway_timeout" : "bad_gateway";
  return { code, breaks: { [endpoint]: BREAKS[how] } };
}
