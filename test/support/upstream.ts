/**
 * A server behind ours that remembers what it was asked and answers as it is told, and ours in front of it, both on free
 * ports of the loopback: for tests of what passes between them. The real Tiled is in `reference.ts`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type TestApp, type TestAppOptions, testApp } from "./app.ts";
import type { Cleanup } from "./folders.ts";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  /** Names and values as they came. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class TestUpstream {
  readonly server: Server;
  readonly asked: Asked[] = [];
  /** Resets to an empty answer of 200. */
  answer: Answer = (_request, response) => void response.end();
  /** What it says at `/api/v1/`; null: it is no Tiled. */
  about: object | null = { api_version: 0, library_version: "9.9.9", formats: { array: ["x/y"] } };

  constructor() {
    this.server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
      if (request.url === "/api/v1/" && request.headers.authorization === undefined) {
        response.writeHead(this.about === null ? 404 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(this.about));
        return;
      }
      this.#note(request);
      this.answer(request, response);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The one request that has come since the last look. */
  one(): Asked {
    const [asked, ...more] = this.asked.splice(0);
    if (asked === undefined || more.length > 0)
      throw new Error(`${more.length + (asked ? 1 : 0)} requests, not one`);
    return asked;
  }

  /** Answers with what was asked, once the body is here. */
  echo(): void {
    this.answer = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.end(Buffer.concat(chunks)));
    };
  }

  #note(request: IncomingMessage): void {
    const { rawHeaders, headers, method = "", url = "" } = request;
    const fields: (readonly [string, string])[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      fields.push([rawHeaders[index]?.toLowerCase() ?? "", rawHeaders[index + 1] ?? ""]);
    }
    this.asked.push({ method, url, headers, fields, body: "" });
  }
}

export async function startUpstream(cleanup: Cleanup): Promise<TestUpstream> {
  const upstream = new TestUpstream();
  upstream.server.listen(0, "127.0.0.1");
  await once(upstream.server, "listening");
  cleanup(async () => {
    upstream.server.closeAllConnections();
    upstream.server.close();
  });
  return upstream;
}

export interface Front {
  readonly t: TestApp;
  readonly url: string;
  readonly port: number;
}

export async function startFront(cleanup: Cleanup, options: TestAppOptions, port = 0): Promise<Front> {
  const t = await testApp(options);
  cleanup(() => t.close());
  const url = await t.app.listen({ host: "127.0.0.1", port });
  return { t, url, port: Number(new URL(url).port) };
}

/** Ours in front of a recording upstream at "/". */
export async function startBoth(
  cleanup: Cleanup,
  options: TestAppOptions = {},
): Promise<Front & { readonly upstream: TestUpstream }> {
  const upstream = await startUpstream(cleanup);
  const front = await startFront(cleanup, { upstreams: [{ url: upstream.url }], ...options });
  return { ...front, upstream };
}

/** Sends bytes as they are and reads until the other side closes, or `enough` is there. */
export async function raw(port: number, text: string, enough = /$^/): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (part: string) => {
    answer += part;
    if (enough.test(answer)) socket.destroy();
  });
  socket.on("error", () => undefined);
  const limit = setTimeout(() => socket.destroy(), 5_000);
  socket.write(text, "latin1");
  await once(socket, "close");
  clearTimeout(limit);
  return answer;
}

/** The status of each answer in what `raw` read. */
export function statuses(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
