/**
 * `server.account_url`: the pages for people on a host of their own, so that no content of an upstream shares their origin.
 * Which routes are at which host is in `people/separate-hosts.ts`.
 */
import type { IncomingMessage } from "node:http";
import { nameOf } from "./host-names.ts";
import type { Proxies } from "./proxies.ts";

export class AccountHost {
  /** e.g. `https://account.example.org`. */
  readonly origin: string;
  readonly #name: string;
  readonly #proxies: Proxies;
  readonly #decided = new WeakMap<IncomingMessage, boolean>();

  static of(url: string | null, proxies: Proxies): AccountHost | null {
    return url === null ? null : new AccountHost(url, proxies);
  }

  constructor(url: string, proxies: Proxies) {
    const { origin, host } = new URL(url);
    this.origin = origin;
    this.#name = nameOf(host);
    this.#proxies = proxies;
  }

  /** Ports do not count, as cookies do not tell them apart. */
  isAt(request: IncomingMessage): boolean {
    const known = this.#decided.get(request);
    if (known !== undefined) return known;
    const host = this.#proxies.readHeaders(request).host ?? request.headers.host ?? "";
    const isAt = nameOf(host) === this.#name;
    this.#decided.set(request, isAt);
    return isAt;
  }
}
