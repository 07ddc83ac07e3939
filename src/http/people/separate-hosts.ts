/**
 * Which routes are at the account host (`server.account_url`) and which at the other hosts ("data hosts"). A browser that
 * opens a page for people at a data host is sent to the account host; a form sent there is refused. How the login comes
 * back is in `hand-over.ts`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../../errors.ts";
import { isForPerson } from "../access/kinds.ts";
import type { AccountHost } from "../account-host.ts";
import { SAFE_METHODS } from "../methods.ts";
import { type Route, routeOf } from "../route.ts";

export interface SeparationDeps {
  readonly account: AccountHost;
  readonly rootPath: string;
  /** The start page, which is at a data host. */
  readonly start: string;
  /** Sends a browser to log in; it comes back with the login. */
  lead(request: FastifyRequest, reply: FastifyReply): void;
}

/** To call before credentials are checked: a request at the wrong host needs none. */
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
      done(new Failure("forbidden", { detail: `Logins and accounts are at ${base}, not on this host.` }));
    } else if (isForPerson(route.access) || BACK.test(route.url)) send(reply, base + request.url);
    else lead(request, reply);
  });
}

const ABOUT: ReadonlySet<string> = new Set(["/api/v1", "/api/v1/"]);
const OF_ACCOUNTS =
  /^\/(?:login|logout|account|assets|healthz|api\/v1\/auth|auth|sticky_auth|auth_info)(?:\/|$)/;
/** At data hosts only. */
const ARRIVAL = "/login/arrive";

function isOfAccounts(url: string): boolean {
  return (OF_ACCOUNTS.test(url) && url !== ARRIVAL) || ABOUT.has(url);
}

const PROVIDER = "^/api/v1/auth/provider/[^/]+";
const AUTHORIZE = new RegExp(`${PROVIDER}/authorize$`);
/** Where providers send browsers back to. */
const BACK = new RegExp(`${PROVIDER}/(?:code|device_code)$`);
const DEVICE_FORM = new RegExp(`${PROVIDER}/device_code$`);

/** Programs also POST to the other two. */
function isForPeople({ url = "", access }: Route, isReading: boolean): boolean {
  if (isForPerson(access) || url === "/login" || DEVICE_FORM.test(url)) return true;
  return isReading && (AUTHORIZE.test(url) || BACK.test(url));
}
