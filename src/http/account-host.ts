/**
 * `server.account_url`: the pages for people on a host of their own, so that no content of an upstream shares an origin with
 * them. At that host nothing else is; at every other host ("data hosts") they are not: a browser that opens one is led to the
 * account host, and their forms are refused. How the login comes back is in `people/hand-over.ts`.
 */
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import { SAFE_METHODS } from "./access/csrf.ts";
import { nameOf } from "./hosts.ts";
import type { Proxies } from "./proxies.ts";
import { type Route, routeOf } from "./route.ts";

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

export interface SeparationDeps {
  readonly account: AccountHost;
  readonly rootPath: string;
  /** The start page, which is at a data host. */
  readonly start: string;
  /** Answers a browser that is to log in: it comes back with the login. */
  lead(request: FastifyRequest, reply: FastifyReply): void;
}

/** It comes before credentials are looked at: a request at the wrong host needs none. */
export function separateAccounts(app: FastifyInstance, deps: SeparationDeps): void {
  const { account, rootPath, start, lead } = deps;
  const base = account.origin + rootPath;
  const send = (reply: FastifyReply, url: string) => {
    reply.header("cache-control", "no-store").redirect(url, 303);
  };
  app.addHook("onRequest", (request, reply, done) => {
    const route = routeOf(request);
    const isReading = SAFE_METHODS.has(request.method);
    if (route.url === undefined) done();
    else if (account.isAt(request.raw)) {
      if (route.url === "/" && isReading) send(reply, start);
      else done(isOfAccounts(route.url) ? undefined : new Failure("not_found"));
    } else if (!isForPeople(route, isReading)) done();
    else if (!isReading) {
      done(new Failure("forbidden", { detail: `Logins and accounts are at ${base}, and not on this host.` }));
    } else if (route.access === "person" || BACK.test(route.url)) send(reply, base + request.url);
    else lead(request, reply);
  });
}

const ABOUT: ReadonlySet<string> = new Set(["/api/v1", "/api/v1/"]);
const OF_ACCOUNTS = /^\/(?:login|logout|account|assets|healthz|api\/v1\/auth)(?:\/|$)/;
/** Only where a login arrives. */
const ARRIVAL = "/login/arrive";

function isOfAccounts(url: string): boolean {
  return (OF_ACCOUNTS.test(url) && url !== ARRIVAL) || ABOUT.has(url);
}

const PROVIDER = "^/api/v1/auth/provider/[^/]+";
const AUTHORIZE = new RegExp(`${PROVIDER}/authorize$`);
/** To where providers send browsers back. */
const BACK = new RegExp(`${PROVIDER}/(?:code|device_code)$`);
const DEVICE_FORM = new RegExp(`${PROVIDER}/device_code$`);

/** Programs POST to the other two. */
function isForPeople({ url = "", access }: Route, isReading: boolean): boolean {
  if (access === "person" || url === "/login" || DEVICE_FORM.test(url)) return true;
  return isReading && (AUTHORIZE.test(url) || BACK.test(url));
}
