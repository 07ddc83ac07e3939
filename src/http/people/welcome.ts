/** After a login, here or at a provider: the browser gets its session and is sent to where the login was to lead. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { IdentityRef } from "../../domain/model/entities.ts";
import type { AuthenticatedIdentity } from "../../domain/ports/authenticator.ts";
import type { LoginGoal } from "../../domain/ports/logins.ts";
import { Failure } from "../../errors.ts";
import { dropKey, hasKeyCookie } from "../access/key-cookie.ts";
import { keepSession, sessionSecretOf } from "../access/session-cookie.ts";
import { noteLogin } from "../logging.ts";
import { type LoginDeps, nextOf } from "./login-deps.ts";
import { seeOther } from "./problem-pages.ts";

type WelcomeDeps = Pick<LoginDeps, "links" | "nextHosts" | "services">;

/** Logs the browser in with an identity that an authenticator vouches for, and sends it on. */
export async function welcome(
  deps: WelcomeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  login: {
    readonly identity: IdentityRef;
    readonly authenticated: AuthenticatedIdentity;
    readonly next: string | null;
  },
): Promise<FastifyReply> {
  const { services, links } = deps;
  const { browserSessions } = services;
  const previous = sessionSecretOf(request, links);
  const context = services.contextOf(request);
  const { secret, opened } = await browserSessions.begin(
    login.identity,
    login.authenticated,
    previous,
    context,
  );
  noteLogin(request, { identity: login.identity, principal: opened.principal.uuid });
  keepSession(request, reply, links, secret, browserSessions.maxAge);
  if (hasKeyCookie(request, links)) dropKey(request, reply, links);
  return seeOther(reply, nextOf(deps, request, login.next)?.href ?? `${links.base(request)}/account`);
}

/** Sends a browser on that comes back once more with a login at a provider. False if it is not logged in. */
export async function goOn(
  deps: WelcomeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  goal: LoginGoal,
): Promise<boolean> {
  if (goal.kind === "application" || !(await isLoggedIn(deps, request))) return false;
  const next = goal.kind === "page" ? nextOf(deps, request, goal.next) : null;
  seeOther(reply, next?.href ?? `${deps.links.base(request)}/account`);
  return true;
}

async function isLoggedIn({ services, links }: WelcomeDeps, request: FastifyRequest): Promise<boolean> {
  const secret = sessionSecretOf(request, links);
  if (secret === null) return false;
  try {
    await services.browserSessions.identify(secret);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.status < 500) return false;
    throw error;
  }
}
