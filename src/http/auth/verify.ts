/**
 * `GET /api/v1/auth/verify`, for proxies that check a request before they pass it on: nginx (`auth_request`), Traefik
 * (ForwardAuth), Caddy (`forward_auth`). It tells them the caller, and may send a browser to the login.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { missingScopes } from "../../domain/model/caller.ts";
import { CAVE_SCOPE, isScope } from "../../domain/model/scopes.ts";
import type {
  UpstreamCredentialIssuer,
  UpstreamCredentials,
} from "../../domain/tokens/upstream-credentials.ts";
import { Failure } from "../../errors.ts";
import { pythonList } from "../../lib/python.ts";
import { refusals } from "../../schemas/errors.ts";
import { noContent } from "../access/access.ts";
import { checkDoubleSubmit } from "../access/csrf.ts";
import { identityHeaders } from "../access/identity-headers.ts";
import { API_KEY_COOKIE, hasKeyCookie } from "../access/key-cookie.ts";
import { readNext } from "../access/next.ts";
import { crossOrigin, namesForeignOrigin, requireSameOrigin } from "../access/same-origin.ts";
import { SESSION_COOKIE } from "../access/session-cookie.ts";
import { wantsPage } from "../answer.ts";
import type { Links } from "../links.ts";
import { SAFE_METHODS } from "../methods.ts";
import type { Proxies } from "../proxies.ts";
import type { TypedApp } from "../typed-app.ts";

export interface VerifyDeps {
  readonly credentialIssuer: UpstreamCredentialIssuer;
  readonly links: Links;
  readonly proxies: Proxies;
  readonly allowAnonymous: boolean;
  /** Whether there is a login page. */
  readonly accounts: boolean;
  readonly publicUrl: string | null;
  /** Hosts that a login may lead back to. */
  readonly hosts: readonly string[];
}

const VerifyQuery = Type.Object({
  scopes: Type.Optional(Type.String({ description: "Required scopes, separated by spaces" })),
  token: Type.Optional(
    Type.String({ description: "1: answer with a token for the service behind the proxy" }),
  ),
  login: Type.Optional(Type.String({ description: "1: redirect browsers to the login page" })),
});

export function verifyRoute(app: TypedApp, deps: VerifyDeps): void {
  app.get(
    "/api/v1/auth/verify",
    {
      config: { access: "verify", browserSession: true },
      schema: {
        tags: ["authentication"],
        operationId: "verifyCaller",
        summary: "Check a caller, for proxies in front of other services",
        querystring: VerifyQuery,
        response: {
          204: Type.Null(),
          302: Type.Null(),
          ...refusals(400, 401, 403, 429),
        },
      },
    },
    (request, reply) => verify(request, reply, deps),
  );
}

type Asked = FastifyRequest<{ Querystring: Static<typeof VerifyQuery> }>;

/** A promise only if the answer has to wait, since promises take time. */
function verify(request: Asked, reply: FastifyReply, deps: VerifyDeps): Promise<void> | undefined {
  reply.header("cache-control", "no-store");
  const scopes = readScopes(request.query.scopes);
  const refused = refusal(request, scopes, deps);
  if (refused !== null) {
    if (!deps.accounts || !isSet(request.query.login) || !wantsPage(request)) throw refused;
    toLogin(request, reply, deps);
    return undefined;
  }
  checkForgery(request, deps);
  checkScopes(request, scopes);
  const withToken = isSet(request.query.token);
  const issued = deps.credentialIssuer.issue(request.caller);
  if (issued instanceof Promise) return issued.then((found) => introduce(reply, found, withToken));
  introduce(reply, issued, withToken);
  return undefined;
}

/** The token's header is always there, since a proxy that copies it overwrites a forged one. */
function introduce(reply: FastifyReply, issued: UpstreamCredentials, withToken: boolean): void {
  const token = withToken ? issued.token : null;
  noContent(reply.headers(identityHeaders(issued)).header("x-tiled-token", token ?? ""));
}

function isSet(parameter: string | undefined): boolean {
  return parameter === "1" || parameter === "true";
}

function readScopes(text = ""): readonly string[] {
  const scopes = text.split(/[\s,]+/).filter((scope) => scope !== "");
  if (scopes.every(isScope)) return scopes;
  throw new Failure("bad_request", { detail: "The parameter 'scopes' has an unknown scope." });
}

/** Null for a known caller, and for an anonymous one if that is enough. */
function refusal(
  { refused, caller }: FastifyRequest,
  scopes: readonly string[],
  { allowAnonymous }: VerifyDeps,
): Failure | null {
  if (refused !== null) return refused;
  if (caller.kind !== "anonymous" || (allowAnonymous && !missingScopes(caller, scopes))) return null;
  return new Failure("no_credentials");
}

/** A proxy always asks with GET; the browser's method is in a header field. */
function checkForgery(request: FastifyRequest, { links, hosts }: VerifyDeps): void {
  checkOrigin(request, links, hosts);
  const method =
    request.headers["x-forwarded-method"] ?? request.headers["x-original-method"] ?? request.method;
  if (SAFE_METHODS.has(String(method).toUpperCase())) return;
  if (request.caller.kind === "browser") {
    requireSameOrigin(request, links);
    checkDoubleSubmit(request, SESSION_COOKIE);
  } else if (hasKeyCookie(request, links)) {
    checkDoubleSubmit(request, API_KEY_COOKIE);
  }
}

/** The request may be the handshake of a WebSocket: a page may open one to any host, and the browser adds its cookies. */
function checkOrigin(request: FastifyRequest, links: Links, hosts: readonly string[]): void {
  if (!request.presented.ambient) return;
  const trusts = (origin: string) => hosts.includes(URL.parse(origin)?.host ?? "");
  if (namesForeignOrigin(request, links, trusts)) throw crossOrigin();
}

/** 403, not 401 as elsewhere: a login would not help, and nginx tells the two apart. */
function checkScopes({ caller }: FastifyRequest, scopes: readonly string[]): void {
  // Every service of CAVE sees such a key, so it must not name its owner to other applications.
  if (caller.kind === "api_key" && caller.scopes.size === 0 && caller.key.scopes.includes(CAVE_SCOPE))
    throw new Failure("forbidden", { detail: "This API key is for CAVE's routes only." });
  if (!missingScopes(caller, scopes)) return;
  const has = pythonList([...caller.scopes].sort());
  throw new Failure("forbidden", {
    detail: `Not enough permissions. Requires scopes ${pythonList(scopes)}. Request had scopes ${has}`,
  });
}

function toLogin(request: FastifyRequest, reply: FastifyReply, deps: VerifyDeps): void {
  const asked = askedFor(request, deps);
  const base = deps.links.base(request);
  // A path without a host belongs to the host that the browser sees, which has the login, too.
  const isPath = asked?.startsWith("/") === true;
  const rules = { base: isPath ? new URL(base).origin : (deps.publicUrl ?? NOWHERE), hosts: deps.hosts };
  const url = readNext(asked, rules);
  const next = url !== null && isPath ? url.pathname + url.search : url?.href;
  const query = next === undefined ? "" : `?${new URLSearchParams({ next })}`;
  reply.redirect(`${base}/login${query}`, 302);
}

/** Without a public URL, no host is known to be ours. */
const NOWHERE = "http://none.invalid";

/** The URL that the browser asked the proxy for, if the proxy is trusted. */
function askedFor(request: FastifyRequest, { proxies, links }: VerifyDeps): string | null {
  if (!proxies.isTrusted(request)) return null;
  const { "x-original-url": whole, "x-forwarded-uri": target } = request.headers;
  if (typeof whole === "string") return whole;
  const { host } = proxies.read(request);
  if (typeof target !== "string" || !target.startsWith("/")) return null;
  if (host === undefined) return target;
  return `${links.isHttps(request) ? "https" : "http"}://${host}${target}`;
}
