/**
 * The handshake of a WebSocket with the server behind this one, with credentials of ours in place of the caller's credentials.
 */
import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { WebSocket } from "ws";
import type { Upstream } from "../../domain/model/upstream.ts";
import { Failure } from "../../errors.ts";
import type { Sent } from "./credentials.ts";
import { failureOf } from "./failures.ts";
import { requestHeaders } from "./headers.ts";

export interface Wanted {
  readonly request: FastifyRequest;
  readonly upstream: Upstream;
  /** The upstream's URL without credentials. */
  readonly url: string;
  /** Fields that say how the request reached us: names and values in turn. */
  readonly way: readonly string[];
}

/** The upstream answered the handshake in HTTP. */
export class RefusedBehind extends Error {
  override readonly name = "RefusedBehind";
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: Buffer;

  constructor(status: number, fields: readonly string[], body: Buffer) {
    super(`the handshake was answered with ${status}`);
    this.status = status;
    this.fields = fields;
    this.body = body;
  }
}

const MAX_REFUSAL = 65_536;
/** Bytes of the answer's head. */
const MAX_HEADERS = 65_536;

/** Resolves with a paused WebSocket once the upstream has accepted. Gives up when the `caller` closes. */
export async function connect(wanted: Wanted, sent: Sent, caller: Leaving): Promise<WebSocket> {
  const protocols = (wanted.request.headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  try {
    return await shakeHands(wanted, sent, protocols, caller);
  } catch (error) {
    // Browsers continue without a subprotocol, too.
    if (protocols.length > 0 && /no subprotocol/i.test(String(error)))
      return await shakeHands(wanted, sent, [], caller);
    if (error instanceof RefusedBehind) throw error;
    // A repeated or invalid name.
    if (error instanceof SyntaxError)
      throw new Failure("bad_request", { detail: "The subprotocols of the WebSocket cannot be read." });
    throw /timed out/.test(String(error))
      ? new Failure("gateway_timeout", { cause: error })
      : failureOf(error);
  }
}

export interface Leaving {
  once(event: "close", listener: () => void): unknown;
  off(event: "close", listener: () => void): unknown;
}

function shakeHands(wanted: Wanted, sent: Sent, protocols: string[], caller: Leaving): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const behind = new WebSocket(addressOf(wanted.url, sent), protocols, {
    headers: headersOf(wanted, sent),
    handshakeTimeout: wanted.upstream.timeout * 1000,
    perMessageDeflate: false,
    maxPayload: 0,
    maxHeaderSize: MAX_HEADERS,
  });
  const giveUp = () => behind.terminate();
  caller.once("close", giveUp);
  behind.once("open", () => {
    caller.off("close", giveUp);
    behind.pause();
    resolve(behind);
  });
  behind.on("unexpected-response", (_request, response) => {
    readRefusal(response)
      .then(reject, reject)
      // Not earlier, since terminating emits an error of its own.
      .finally(() => behind.terminate());
  });
  behind.on("error", reject);
  return promise;
}

function addressOf(url: string, { token, tiled, key }: Sent): string {
  if (token === null || key !== null || !tiled) return url;
  return `${url}${url.includes("?") ? "&" : "?"}access_token=${token}`;
}

function headersOf(
  { request: { raw }, way }: Wanted,
  { names, token, tiled, key }: Sent,
): Record<string, string> {
  const fields = [
    ...requestHeaders(raw.rawHeaders, raw.headers.connection, { socket: true, reading: true }),
    ...way,
    ...names,
    ...(key === null ? [] : ["authorization", `Apikey ${key}`]),
    ...(token === null || tiled ? [] : ["authorization", `Bearer ${token}`]),
  ];
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index]?.toLowerCase() ?? "";
    const before = headers[name];
    const value = fields[index + 1] ?? "";
    headers[name] = before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

async function readRefusal(response: IncomingMessage): Promise<RefusedBehind> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_REFUSAL) break;
    chunks.push(chunk);
  }
  return new RefusedBehind(response.statusCode ?? 502, response.rawHeaders, Buffer.concat(chunks));
}
