/**
 * The directory's servers: their addresses, and the order in which a login tries them. One that failed is last for half a
 * minute.
 */
import type { Clock } from "../../lib/clock.ts";

export interface Server {
  readonly host: string;
  readonly port: number;
  /** LDAPS: TLS from the first byte. */
  readonly secure: boolean;
  /** As in a URL, for messages. */
  readonly name: string;
}

const PENALTY = 30_000;

/** Undefined if the address is not one. */
export function parseServer(address: string, useSsl: boolean, port: number | null): Server | undefined {
  const [, scheme, rest] = /^(?:(ldaps?):\/\/)?(.*?)\/?$/i.exec(address.trim()) ?? [];
  if (rest === undefined) return undefined;
  const secure = scheme === undefined ? useSsl : scheme.toLowerCase() === "ldaps";
  const bare = /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(rest) ? `[${rest}]` : rest;
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/i.exec(bare) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  const number = digits === undefined ? (port ?? (secure ? 636 : 389)) : Number(digits);
  if (number < 1 || number > 65_535) return undefined;
  const name = `${secure ? "ldaps" : "ldap"}://${bracketed === undefined ? host : `[${host}]`}:${number}`;
  return { host, port: number, secure, name };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

export class Servers {
  readonly #servers: readonly Server[];
  readonly #clock: Clock;
  readonly #failed = new Map<Server, number>();

  constructor(servers: readonly Server[], clock: Clock) {
    this.#servers = servers;
    this.#clock = clock;
  }

  /** The configured order; those that failed lately are last. */
  inOrder(): readonly Server[] {
    if (this.#failed.size === 0) return this.#servers;
    const now = this.#clock.now();
    const late = (server: Server): boolean =>
      (this.#failed.get(server) ?? Number.NEGATIVE_INFINITY) + PENALTY > now;
    return [...this.#servers.filter((server) => !late(server)), ...this.#servers.filter(late)];
  }

  failed(server: Server): void {
    this.#failed.set(server, this.#clock.now());
  }

  worked(server: Server): void {
    this.#failed.delete(server);
  }
}
