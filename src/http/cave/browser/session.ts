/**
 * The login of a browser at CAVE's pages: an ordinary browser session (`domain/browser-session.ts`) behind a cookie of its own,
 * which no service on the same host gets (RFC 6265, section 4.1.2.4), and the form token that goes with it. The account's
 * login is `access/session-cookie.ts`; neither counts for the other.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from "fastify";
import { type BrowserSessions, formTokenOf, readSessionSecret } from "../../../domain/browser-session.ts";
import { readHandedToCave } from "../../../domain/login/hand-over.ts";
import type { Caller } from "../../../domain/model/caller.ts";
import { Failure } from "../../../errors.ts";
import { type Html, html } from "../../../lib/html.ts";
import { chain, type MaybePromise } from "../../../lib/maybe-promise.ts";
import { cookieOf, sendCookie, timesGiven } from "../../access/cookies.ts";
import { type Gate, gateOf } from "../../access/kinds.ts";
import { isOpenedByPerson, isSameOrigin, requireSameOrigin } from "../../access/same-origin.ts";
import { checkForm } from "../../access/session-cookie.ts";
import { SAFE_METHODS } from "../../methods.ts";
import type { CaveLinks } from "../server-address.ts";
import { type CaveProblemDeps, caveProblems } from "./problems.ts";

const NAME = "cave_session";

/** Answers no request itself. */
interface OpenGate extends Gate {
  admit(request: FastifyRequest, reply: FastifyReply): MaybePromise<Caller>;
}

/** What a route of CAVE's pages declares: `{ access: { gate: gates.person }, body: "form", formToken: true }`. */
export interface CaveGates {
  /** For anyone; a login that has ended counts as none. */
  readonly anyone: OpenGate;
  /** A browser that is logged in here; its forms carry the token of `csrfFieldOf`. Fails with `login_needed`. */
  readonly person: Gate;
}

/** The secret that the browser has; two of them count as none, since one was planted and they cannot be told apart. */
export function caveSessionOf(request: FastifyRequest, links: CaveLinks): string | null {
  const name = nameOf(links);
  if (timesGiven(request, name) !== 1) return null;
  const text = cookieOf(request, name);
  return readSessionSecret(text) ?? readHandedToCave(text);
}

/** `maxAge`: seconds. */
export function keepCaveSession(reply: FastifyReply, links: CaveLinks, secret: string, maxAge: number): void {
  sendCookie(reply, nameOf(links), secret, { path: links.stickyPath, secure: links.isHttps, maxAge });
}

export function dropCaveSession(reply: FastifyReply, links: CaveLinks): void {
  keepCaveSession(reply, links, "", 0);
}

/** The hidden field that every form of a page for this browser needs. */
export function csrfFieldOf(request: FastifyRequest, links: CaveLinks): Html {
  const secret = caveSessionOf(request, links);
  if (secret === null) throw new Error("A form for a person is made without their login.");
  return html`<input type="hidden" name="token" value="${formTokenOf(secret)}">`;
}

/**
 * Makes the gates. To call once, before the routes: it checks the token of every form behind `person`, and gives the routes of
 * both the pages of `problems.ts`, so that no route can forget it.
 */
export function caveGates(
  app: FastifyInstance,
  { site, links, sessions }: { readonly sessions: BrowserSessions } & CaveProblemDeps,
): CaveGates {
  const person: Gate = {
    admit: (request, reply) => {
      const secret = countedSecret(request, links);
      if (secret === null) {
        // `check` refuses the form once its body is read.
        if (!SAFE_METHODS.has(request.method)) return ANONYMOUS;
        throw new Failure("login_needed");
      }
      return orDropped(() => sessions.identify(secret), reply, links);
    },
  };
  const anyone: OpenGate = {
    admit: (request, reply) => {
      const secret = SAFE_METHODS.has(request.method) ? countedSecret(request, links) : null;
      if (secret === null) return ANONYMOUS;
      return orNone(() => orDropped(() => sessions.identify(secret), reply, links));
    },
  };
  const check: preHandlerHookHandler = (request, _reply, done) => {
    if (!SAFE_METHODS.has(request.method)) {
      const secret = caveSessionOf(request, links);
      if (secret === null || request.caller.kind !== "browser") throw withoutLogin(request);
      checkForm(request, formTokenOf(secret));
    }
    done();
  };
  const problems = caveProblems({ site, links });
  app.addHook("onRoute", (route) => {
    const gate = gateOf(route.config?.access);
    if (gate !== person && gate !== anyone) return;
    route.errorHandler ??= problems;
    if (gate === person) route.preHandler = [check, ...[route.preHandler ?? []].flat()];
  });
  return { anyone, person };
}

/** A form whose login has ended leads to the login; one that no page of ours made is refused. */
function withoutLogin({ body }: FastifyRequest): Failure {
  const { token } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const isOurs = typeof token === "string" && token !== "";
  return isOurs
    ? new Failure("login_needed")
    : new Failure("csrf", { detail: "The form's token is missing." });
}

/** No `__Host-`, which would ask for the path `/`. */
function nameOf(links: CaveLinks): string {
  return links.isHttps ? `__Secure-${NAME}` : NAME;
}

/** The secret if it counts for this request: not for what a page of another site sends or reads. */
function countedSecret(request: FastifyRequest, links: CaveLinks): string | null {
  const secret = caveSessionOf(request, links);
  if (!SAFE_METHODS.has(request.method)) {
    requireSameOrigin(request, links.here);
    return secret;
  }
  return isSameOrigin(request, links.here) || isOpenedByPerson(request) ? secret : null;
}

const ANONYMOUS: Caller = { kind: "anonymous", scopes: new Set() };

/** Drops the cookie of a login that has ended. */
function orDropped(ask: () => MaybePromise<Caller>, reply: FastifyReply, links: CaveLinks) {
  return attempt(ask, (error) => {
    if (error instanceof Failure && error.code === "browser_login_over") dropCaveSession(reply, links);
    throw error;
  });
}

function orNone(ask: () => MaybePromise<Caller>): MaybePromise<Caller> {
  return attempt(ask, (error) => {
    if (error instanceof Failure && error.status < 500) return ANONYMOUS;
    throw error;
  });
}

function attempt(
  ask: () => MaybePromise<Caller>,
  failed: (error: unknown) => MaybePromise<Caller>,
): MaybePromise<Caller> {
  try {
    return chain(ask(), (found) => found, failed);
  } catch (error) {
    return failed(error);
  }
}
