/**
 * A server behind ours that speaks WebSocket and says what it was asked, and clients that remember what they heard.
 */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { TestContext } from "node:test";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { TestAppOptions } from "./app.ts";
import { eventually } from "./eventually.ts";
import { startBoth } from "./upstream.ts";

export const STREAM = "/api/v1/stream/single/A";
/** What a request by hand needs beside its first lines. */
export const HANDSHAKE =
  "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

export async function socketScene(t: TestContext, options: TestAppOptions = {}) {
  const both = await startBoth((last) => t.after(last), options);
  const sockets = new WebSocketServer({ server: both.upstream.server });
  const asked: IncomingMessage[] = [];
  const opened: WebSocket[] = [];
  sockets.on("connection", (socket, request) => {
    asked.push(request);
    opened.push(socket);
    socket.on("error", () => undefined);
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    socket.send("schema");
  });
  const ws = both.url.replace("http", "ws");
  const open = (target: string, headers: Record<string, string> = {}, protocols: string[] = []) => {
    const socket = new SocketClient(ws + target, headers, protocols);
    t.after(() => socket.socket.terminate());
    return socket;
  };
  return { ...both, asked, opened, open };
}

/** Remembers what came. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly messages: string[] = [];
  readonly closed: Promise<[code: number, reason: string]>;
  /** The status of a handshake that was answered in HTTP. */
  readonly refused: Promise<readonly [status: number, body: string]>;

  constructor(url: string, headers: Record<string, string>, protocols: string[]) {
    this.socket = new WebSocket(url, protocols, { headers });
    this.socket.on("error", () => undefined);
    this.socket.on("message", (data: RawData, binary) =>
      this.messages.push(`${binary ? "bytes " : ""}${data}`),
    );
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve([code, String(reason)]));
    });
    this.refused = new Promise((resolve) => {
      this.socket.on("unexpected-response", (_request, response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          body += part;
        });
        response.on("end", () => resolve([response.statusCode ?? 0, body]));
      });
    });
  }

  async has(...messages: string[]): Promise<void> {
    const there = await eventually(5, async () => this.messages.length >= messages.length);
    assert.ok(there, `only ${JSON.stringify(this.messages)}`);
    assert.deepEqual(this.messages, messages);
  }
}

/** Of the token in the query. */
export function claims(request: IncomingMessage | undefined): Record<string, unknown> {
  const token = new URL(request?.url ?? "", "http://x").searchParams.get("access_token") ?? "";
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}
