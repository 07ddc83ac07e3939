/**
 * Browsers cannot send credentials in the handshake of a WebSocket, so they send them as the first message:
 * `{"type": "auth", "access_token": …}` or `{"type": "auth", "api_key": …}`. Nothing is sent before.
 */
import type { RawData, WebSocket } from "ws";
import type { Credential } from "../../domain/callers/callers.ts";

const NOT_AUTH = 4001;
export const REFUSED = 4003;

export type PresentedCredential = Exclude<Credential, { readonly kind: "none" }>;

export interface Message {
  readonly data: RawData;
  readonly binary: boolean;
}

export interface Presented {
  readonly credential: PresentedCredential;
  /** Messages that arrived before the socket paused. From now on the caller listens. */
  takeEarly(): readonly Message[];
}

/** Undefined if there is none: the socket is closed or closing. Otherwise it is paused. */
export async function firstMessage(socket: WebSocket, waitMs: number): Promise<Presented | undefined> {
  const { promise, resolve } = Promise.withResolvers<Presented | undefined>();
  const limit = setTimeout(() => {
    socket.close(NOT_AUTH, "No auth message came in time");
    resolve(undefined);
  }, waitMs);
  socket.once("close", () => resolve(undefined));
  socket.once("message", (data: RawData) => {
    const read = readMessage(String(data));
    if (!("credential" in read)) {
      socket.close(read.code, read.reason);
      resolve(undefined);
      return;
    }
    socket.pause();
    const early: Message[] = [];
    const keep = (more: RawData, binary: boolean) => void early.push({ data: more, binary });
    socket.on("message", keep);
    const takeEarly = () => {
      socket.off("message", keep);
      return early;
    };
    resolve({ credential: read.credential, takeEarly });
  });
  try {
    return await promise;
  } finally {
    clearTimeout(limit);
  }
}

/** Whether a message presents credentials to us. */
export function isAuthMessage(data: RawData): boolean {
  return String(data).length <= LONGEST && "credential" in readMessage(String(data));
}

const LONGEST = 16_384;

type Read = { readonly credential: PresentedCredential } | { readonly code: number; readonly reason: string };

function readMessage(text: string): Read {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { code: NOT_AUTH, reason: "Expected JSON auth message" };
  }
  const { type, api_key: key, access_token: token } = Object(message) as Readonly<Record<string, unknown>>;
  if (type !== "auth") return { code: NOT_AUTH, reason: 'Expected {"type": "auth", ...}' };
  if (typeof key === "string" && key !== "") return { credential: { kind: "api_key", secret: key } };
  if (typeof token === "string" && token !== "") return { credential: { kind: "bearer", token } };
  return { code: REFUSED, reason: "Authentication failed" };
}
