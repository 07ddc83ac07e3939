/** A server on a socket that answers what the test says, e.g. what a hostile one would. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface Answer {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

/** Answers `METHOD /path`, with and without the API's prefix; the rest is 404. */
export async function scripted(t: TestContext, answers: Record<string, Answer>) {
  const asked: { what: string; body: string; query: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const { pathname, search } = new URL(request.url ?? "", "http://h");
    const what = `${request.method} ${pathname.replace("/api/v1", "")}`;
    asked.push({ what, body, query: search });
    const {
      status = 200,
      body: answer,
      headers,
    } = answers[what] ?? { status: 404, body: { detail: "Not Found" } };
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    response.writeHead(status, {
      "content-type": "application/json",
      "x-tiled-request-id": "abc123",
      ...headers,
    });
    response.end(text);
  });
  return { url: await listening(t, server), asked };
}

export async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function about(provider: object | null, links: object | null = {}): Answer {
  const providers =
    provider === null
      ? []
      : [
          {
            provider: "lab",
            mode: "internal",
            confirmation_message: null,
            links: { auth_endpoint: "x" },
            ...provider,
          },
        ];
  return { body: { authentication: { required: true, providers, links } } };
}
