/**
 * Where a request came from: the socket's address, or what a trusted proxy says in `X-Forwarded-*`. Such a header from any
 * other address is ignored, and the first one is reported.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { FastifyRequest } from "fastify";
import { setBounded } from "../lib/bounded-map.ts";

export interface Forwarded {
  readonly address: string | null;
  /** Undefined unless a trusted proxy sent it. */
  readonly host: string | undefined;
  readonly proto: "http" | "https" | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null until `Proxies` has read it. */
    forwarded: Forwarded | null;
  }
}

/** Addresses that are remembered. */
const MOST_PEERS = 1024;

export class Proxies {
  readonly #trusted = new BlockList();
  readonly #all: boolean;
  readonly #onIgnored: (address: string, header: string) => void;
  /** By the socket's address: what a request without such headers came from. */
  readonly #direct = new Map<string | undefined, Forwarded>();
  #reported = false;

  /** `trusted`: addresses and CIDR blocks, or `["*"]`. */
  constructor(trusted: readonly string[], onIgnored: (address: string, header: string) => void) {
    this.#all = trusted.includes("*");
    this.#onIgnored = onIgnored;
    for (const entry of trusted) {
      if (entry === "*") continue;
      const [address = "", prefix] = entry.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (prefix === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(prefix), family);
    }
  }

  /** Read once a request. */
  read(request: FastifyRequest): Forwarded {
    request.forwarded ??= this.readHeaders(request.raw);
    return request.forwarded;
  }

  /** Whether the peer is a trusted proxy. */
  isTrusted({ raw }: FastifyRequest): boolean {
    return this.#trusts(plainAddress(raw.socket.remoteAddress));
  }

  /** Whether the peer is trusted by its address. `*` does not count: then no proxy vouches for the names that browsers use. */
  vouches(request: FastifyRequest): boolean {
    return !this.#all && this.isTrusted(request);
  }

  /** For requests whose route is not known yet. */
  readHeaders({ headers, socket }: FastifyRequest["raw"]): Forwarded {
    const host = headers["x-forwarded-host"];
    const proto = headers["x-forwarded-proto"];
    const chain = headers["x-forwarded-for"];
    if (host === undefined && proto === undefined && chain === undefined) {
      return this.#from(socket.remoteAddress);
    }
    const peer = plainAddress(socket.remoteAddress);
    if (!this.#trusts(peer)) {
      this.#report(
        peer,
        host !== undefined
          ? "X-Forwarded-Host"
          : proto !== undefined
            ? "X-Forwarded-Proto"
            : "X-Forwarded-For",
      );
      return this.#from(socket.remoteAddress);
    }
    return { address: this.#client(peer, text(chain)), host: last(host), proto: scheme(last(proto)) };
  }

  #from(peer: string | undefined): Forwarded {
    const known = this.#direct.get(peer);
    if (known !== undefined) return known;
    const direct = { address: plainAddress(peer), host: undefined, proto: undefined };
    setBounded(this.#direct, peer, direct, MOST_PEERS);
    return direct;
  }

  /** The first address from the right that is not a trusted proxy. */
  #client(peer: string | null, chain: string | undefined): string | null {
    let client = peer;
    for (const entry of (chain ?? "").split(",").reverse()) {
      const address = plainAddress(withoutPort(entry.trim()));
      if (address === null) break;
      client = address;
      if (this.#all || !this.#trusts(address)) break;
    }
    return client;
  }

  #trusts(address: string | null): boolean {
    if (this.#all) return true;
    if (address === null) return false;
    return this.#trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }

  #report(address: string | null, header: string): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#onIgnored(address ?? "unknown", header);
  }
}

/** The warning about the first forwarded header from an address that is not trusted. */
export function ignoredHeader(
  address: string,
  header: string,
  { trusted, publicUrl }: { readonly trusted: readonly string[]; readonly publicUrl: string | null },
): string {
  if (trusted.length > 0 || !publicUrl?.startsWith("https:")) {
    return `${header} from ${address} is ignored, since that address is not among server.trusted_proxies. If it is your proxy, add it there.`;
  }
  return (
    `${header} from ${address} is ignored: server.public_url is https, so there is a proxy, but server.trusted_proxies is empty. All ` +
    "callers have the proxy's address, in the audit log as well, and the wrong passwords of one lock all of them out. " +
    `If ${address} is your proxy, set server.trusted_proxies: ["${address}"].`
  );
}

/** Some proxies add the client's port: `1.2.3.4:5678`, `[2001:db8::1]:5678`. */
function withoutPort(entry: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
}

/** IPv4-mapped IPv6 addresses become plain IPv4; null for a text that is no address. */
function plainAddress(address: string | undefined): string | null {
  if (address === undefined) return null;
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return isIPv4(plain) || isIPv6(plain) ? plain : null;
}

function text(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(",") : header;
}

function last(header: string | string[] | undefined): string | undefined {
  return text(header)?.split(",").at(-1)?.trim();
}

/** Traefik sends `ws` and `wss` for the handshake of a WebSocket. */
const SCHEMES: ReadonlyMap<string, "http" | "https"> = new Map([
  ["http", "http"],
  ["ws", "http"],
  ["https", "https"],
  ["wss", "https"],
]);

function scheme(name: string | undefined): "http" | "https" | undefined {
  return SCHEMES.get(name?.toLowerCase() ?? "");
}
