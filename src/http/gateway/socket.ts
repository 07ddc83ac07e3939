/**
 * WebSockets to a server behind this one: who may open one, and its end when the caller loses access. Tiled takes tokens of
 * WebSockets in the query only, so the caller's credential becomes one there.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import type { Callers } from "../../domain/callers/callers.ts";
import type { Standing } from "../../domain/callers/standing.ts";
import { type Caller, missingScopes } from "../../domain/model/caller.ts";
import type { Scope } from "../../domain/model/scopes.ts";
import type { Upstream } from "../../domain/model/upstream.ts";
import { Failure } from "../../errors.ts";
import type { Presented } from "../access/credential.ts";
import { requestContext } from "../access/request-context.ts";
import { crossOrigin, namesForeignOrigin } from "../access/same-origin.ts";
import type { Links } from "../links.ts";
import { callerNames } from "../logging.ts";
import type { Proxies } from "../proxies.ts";
import { connect, RefusedBehind } from "./connect.ts";
import type { CredentialsForUpstream, Sent } from "./credentials.ts";
import type { Expiry } from "./expiry.ts";
import {
  firstMessage,
  isAuthMessage,
  type Message,
  type PresentedCredential,
  REFUSED,
} from "./first-message.ts";
import { Heartbeat } from "./heartbeat.ts";
import { ConcurrencyLimiter, type Requester, type Slot } from "./limiter.ts";
import { GOING_AWAY, Relay } from "./relay.ts";
import { anonymousRequester, requesterOf } from "./requester.ts";
import type { Upgrades } from "./upgrade.ts";

export interface SocketDeps {
  readonly upgrades: Upgrades;
  readonly credentials: CredentialsForUpstream;
  readonly callers: Callers;
  readonly standing: Standing;
  readonly expiry: Expiry;
  readonly links: Links;
  readonly proxies: Proxies;
  readonly allowAnonymous: boolean;
  readonly allowOrigins: readonly string[];
  readonly timeouts: SocketTimeouts;
}

/** Milliseconds. */
export interface SocketTimeouts {
  readonly firstMessage: number;
  /** Between checks of the callers: half of the minute that a stream may outlive its login. */
  readonly recheck: number;
}

export const SOCKET_TIMEOUTS: SocketTimeouts = { firstMessage: 10_000, recheck: 30_000 };

/** Bytes of a message from an identified caller; uvicorn's limit, too. */
const MAX_MESSAGE = 16 * 1_048_576;
/** Bytes of a message before the caller is identified. */
const MAX_FIRST_MESSAGE = 16_384;

/** Consecutive failed checks that end a stream. */
const UNSEEN = 2;

/** Seconds. */
const RETRY_AFTER = "30";

const POLICY = 1008;
const TRY_AGAIN = 1013;

/** A WebSocket that is being opened. */
export interface Opening {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly upstream: Upstream;
  /** Decoded. */
  readonly path: string;
  /** The upstream's URL without credentials. */
  readonly url: string;
  /** Fields that say how the request reached us. */
  readonly way: readonly string[];
}

interface Open {
  readonly relay: Relay;
  readonly heartbeat: Heartbeat;
  readonly caller: Caller;
  readonly needs: readonly Scope[];
  /** A check is running. */
  looking: boolean;
  /** Consecutive failed checks. */
  unseen: number;
}

export class GatewaySockets {
  readonly #deps: SocketDeps;
  readonly #open = new Set<Open>();
  readonly #waiting = new Set<WebSocket>();
  readonly #rooms = new WeakMap<Upstream, ConcurrencyLimiter>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(deps: SocketDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#recheck(), deps.timeouts.recheck).unref();
  }

  async open(opening: Opening): Promise<void> {
    const { request, reply, path, upstream } = opening;
    const { caller } = request;
    if (caller.kind === "anonymous" && !this.#deps.allowAnonymous) {
      await this.#openByMessage(opening);
      return;
    }
    this.#checkOrigin(request);
    checkStreamScope(caller, path);
    this.#enter(opening, requesterOf(caller, request, this.#deps.proxies));
    const secret = () => secretOf(request.presented);
    const sent = await this.#deps.credentials.of({ caller, upstream, use: "read", secret });
    const behind = await connect(opening, sent, reply.raw);
    const client = this.#accept(opening, MAX_MESSAGE, behind.protocol);
    if (client === undefined) behind.terminate();
    else this.#join(client, behind, [], opening, caller);
  }

  /** Refuses new ones, and closes the open ones in a way that makes clients reconnect. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const { relay } of this.#open) relay.end(GOING_AWAY, "The server is stopping");
    for (const socket of this.#waiting) socket.close(GOING_AWAY, "The server is stopping");
  }

  /** Takes a slot until the connection closes. */
  #enter({ request, upstream }: Opening, requester: Requester): Slot {
    let room = this.#rooms.get(upstream);
    if (room === undefined) {
      room = new ConcurrencyLimiter({ slots: upstream.maxStreams, waiting: 0, waitMs: 0 });
      this.#rooms.set(upstream, room);
    }
    const slot = room.tryEnter(requester);
    if (slot === null) throw new Failure("upstream_busy", { headers: { "retry-after": RETRY_AFTER } });
    const { socket } = request.raw;
    if (socket.destroyed) slot.leave();
    else socket.once("close", () => slot.leave());
    return slot;
  }

  async #openByMessage(opening: Opening): Promise<void> {
    const { request } = opening;
    const stranger = this.#enter(opening, anonymousRequester(request, this.#deps.proxies));
    const client = this.#accept(opening, MAX_FIRST_MESSAGE, "");
    if (client === undefined) return;
    this.#waiting.add(client);
    client.once("close", () => this.#waiting.delete(client));
    const presented = await firstMessage(client, this.#deps.timeouts.firstMessage);
    if (presented === undefined) return;
    try {
      const { caller, sent } = await this.#recognize(presented.credential, opening);
      this.#enter(opening, requesterOf(caller, request, this.#deps.proxies));
      stranger.leave();
      const behind = await connect(opening, sent, client);
      this.#waiting.delete(client);
      this.#join(client, behind, presented.takeEarly(), opening, caller);
    } catch (error) {
      request.log.info({ err: error }, "WebSocket refused");
      client.resume();
      client.close(...closing(error));
    }
  }

  async #recognize(
    credential: PresentedCredential,
    { request, upstream, path }: Opening,
  ): Promise<{ readonly caller: Caller; readonly sent: Sent }> {
    const origin = () => requestContext(request, this.#deps.proxies, null);
    const caller = await this.#deps.callers.identify(credential, origin, { noted: true });
    checkStreamScope(caller, path);
    const secret = () => secretOf(credential);
    return {
      caller,
      sent: await this.#deps.credentials.of({ caller, upstream, use: "read", secret }),
    };
  }

  /** Pages of other sites may open WebSockets, and browsers add cookies. */
  #checkOrigin(request: FastifyRequest): void {
    const ambient = request.caller.kind === "browser" || request.presented.ambient;
    if (!ambient) return;
    const trusts = (origin: string) => this.#deps.allowOrigins.includes(origin);
    if (namesForeignOrigin(request, this.#deps.links, trusts)) {
      throw crossOrigin("This WebSocket was opened by a page of another origin.");
    }
  }

  #accept(opening: Opening, maxPayload: number, protocol: string): WebSocket | undefined {
    const { request, reply } = opening;
    const handshake = this.#deps.upgrades.take(request.raw, reply.raw);
    if (handshake === undefined) throw new Failure("bad_request", { detail: "A WebSocket was expected." });
    reply.hijack();
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
      handleProtocols: () => (protocol === "" ? false : protocol),
    });
    server.on("headers", (headers) => headers.push(`X-Tiled-Request-ID: ${request.id}`));
    let client: WebSocket | undefined;
    server.handleUpgrade(request.raw, handshake.socket, handshake.head, (socket) => {
      client = socket;
    });
    // Any caller can cause this, so it is logged without a stack.
    client?.on("error", ({ message }) => request.log.info({ reason: message }, "a WebSocket broke off"));
    if (this.#closed) client?.close(GOING_AWAY, "The server is stopping");
    return client;
  }

  #join(
    client: WebSocket,
    behind: WebSocket,
    early: readonly Message[],
    { request, path }: Opening,
    caller: Caller,
  ): void {
    if (client.readyState !== client.OPEN) {
      behind.terminate();
      return;
    }
    const began = performance.now();
    const who = callerNames(caller);
    const relay = new Relay(client, behind, early, (code) => {
      this.#open.delete(open);
      stopWatching();
      request.log.info({ ...who, code, ms: Math.round(performance.now() - began) }, "WebSocket closed");
    });
    // With anonymous access its first message was not waited for; credentials in it must not be passed on.
    if (caller.kind === "anonymous") relay.withholdFirst(isAuthMessage);
    const heartbeat = new Heartbeat(client, request.raw.socket);
    const open: Open = { relay, heartbeat, caller, needs: needsOf(path), looking: false, unseen: 0 };
    this.#open.add(open);
    const stopWatching = this.#deps.expiry.watch(caller, () =>
      relay.end(REFUSED, "The credential has expired"),
    );
    request.log.info({ ...who, address: this.#deps.proxies.read(request).address }, "WebSocket opened");
  }

  /** Concurrent, so that a slow check does not delay the others. */
  #recheck(): void {
    for (const open of this.#open) {
      open.heartbeat.beat();
      void this.#look(open);
    }
  }

  async #look(open: Open): Promise<void> {
    if (open.looking) return;
    open.looking = true;
    const { relay, caller, needs } = open;
    try {
      const current = await this.#deps.standing.isCurrent(caller, needs);
      open.unseen = 0;
      if (!current) relay.end(REFUSED, "The login or its rights have ended");
    } catch {
      // The database cannot tell, and earlier results may be outdated.
      open.unseen += 1;
      if (open.unseen === UNSEEN) relay.end(TRY_AGAIN, "Try again later");
    }
    open.looking = false;
  }
}

/**
 * A stream shows data, but the real Tiled checks no scopes of streams without an access policy. It removes its root path
 * once more than we do.
 */
function needsOf(path: string): readonly Scope[] {
  return /\/api\/v1\/stream(?:\/|$)/i.test(path) ? ["read:data"] : [];
}

function checkStreamScope(caller: Caller, path: string): void {
  if (!missingScopes(caller, needsOf(path))) return;
  throw new Failure("missing_scopes", {
    detail: "Not enough permissions. Requires scopes ['read:data'].",
    headers: { "www-authenticate": 'Bearer scope="read:data"' },
  });
}

function secretOf(credential: Presented): string | null {
  return credential.kind === "api_key" ? credential.secret : null;
}

/** Close code and reason once the connection no longer speaks HTTP. */
function closing(error: unknown): [code: number, reason: string] {
  if (error instanceof RefusedBehind) return [POLICY, `The data service answered ${error.status}`];
  if (!(error instanceof Failure) || error.status >= 500) return [TRY_AGAIN, "Try again later"];
  return [REFUSED, error.code === "forbidden" ? reasonOf(error) : "Authentication failed"];
}

/** The first clause of an error: a close frame has room for little more (RFC 6455, section 5.5). */
function reasonOf({ message }: Failure): string {
  const [first = ""] = message.split(/, and |\. /, 1);
  return first.length <= 100 ? first : "Not allowed";
}
