/**
 * CAVE's login page, shown by `authorize.ts` to a browser without a login: a form for each provider with passwords, by the
 * pipeline and the throttle of all password logins, and links to the other providers. `provider-return.ts` ends those.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { isToken, loginTokenOf } from "../../../domain/browser-session.ts";
import { browserDigest, newBrowserSecret } from "../../../domain/login/binding.ts";
import { FAILURES, Failure } from "../../../errors.ts";
import { caveLoginPage } from "../../../pages/cave/login.ts";
import type { LoginForm, LoginProblem } from "../../../pages/login-page.ts";
import type { LoginBody } from "../../../schemas/pages.ts";
import { browserOf, keepBrowser, keepForLogin } from "../../access/login-cookie.ts";
import { requireSameOrigin } from "../../access/same-origin.ts";
import { noteLogin } from "../../logging.ts";
import { loginProblem, typedName } from "../../people/login-form.ts";
import { seeOther } from "../../people/problem-pages.ts";
import { sendPage } from "../../send-page.ts";
import type { CaveLoginDeps } from "./deps.ts";
import { arrivalOf } from "./provider-return.ts";
import { caveSessionOf, keepCaveSession } from "./session.ts";

/** Where the login leads: an address that has been checked; null: nowhere but to `authorize` again. */
type Destination = URL | null;

interface Trouble {
  readonly provider: string;
  readonly username: string;
  readonly problem: LoginProblem;
  readonly status: number;
}

/** The forms are bound to the browser by its cookie. */
export function showLogin(
  deps: CaveLoginDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  to: Destination,
  trouble: Trouble | null = null,
): FastifyReply {
  const { site, links, providers, passwords, rules } = deps;
  const known = browserOf(request, links.here);
  const browser = known ?? newBrowserSecret();
  keepBrowser(request, reply, links.here, browser);
  if (known === null) {
    keepForLogin(request, reply, links.here, { secret: browser, state: browserDigest(browser) });
  }
  const onward = links.authorize(to?.href);
  const forms = passwords.map(({ name }, index): LoginForm => {
    const own = trouble?.provider === name ? trouble : null;
    return {
      action: onward.slice(links.origin.length),
      token: loginTokenOf(browser),
      provider: name,
      next: null,
      username: own?.username ?? "",
      problem: own?.problem ?? null,
      requestId: request.id,
      ...(index > 0 && { suffix: `-${index}` }),
    };
  });
  const elsewhere = providers.filter((name) => passwords.every((provider) => provider.name !== name));
  const arrival = elsewhere.length === 0 ? "" : arrivalOf(deps, onward, browser);
  const choices = elsewhere.map((name) => ({
    name,
    href: `${deps.peopleBase}/api/v1/auth/provider/${name}/authorize?${new URLSearchParams({ next: arrival })}`,
  }));
  const destination = to === null || links.isOwnPage(to) ? null : to.host;
  const page = caveLoginPage({ site, basePath: links.stickyPath, forms, choices, destination });
  // Chromium holds a form to this on every redirect that follows.
  const formAction = rules.current.settings.origins;
  return sendPage(reply, page, { status: trouble?.status ?? 200, noStore: true, formAction });
}

/** A form of the login page was sent. */
export async function logIn(
  deps: CaveLoginDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Static<typeof LoginBody>,
  to: Destination,
): Promise<FastifyReply> {
  const { links, services, passwords } = deps;
  requireSameOrigin(request, links.here);
  const { token, provider, password = "" } = fields;
  const username = typedName(fields);
  const [only, ...others] = passwords;
  const chosen = passwords.find(({ name }) => name === provider) ?? (others.length === 0 ? only : undefined);
  if (chosen === undefined || (provider !== undefined && provider !== chosen.name)) {
    throw new Failure("bad_request", { log: "a login form of no provider" });
  }
  const refuse = (status: number, problem: LoginProblem) =>
    showLogin(deps, request, reply, to, { provider: chosen.name, username, problem, status });
  const browser = browserOf(request, links.here);
  if (browser === null || !isToken(token, loginTokenOf(browser))) return refuse(403, { kind: "outdated" });
  if (username === "" || password === "") return refuse(422, { kind: "empty" });
  try {
    const { name, authenticator } = chosen;
    const context = services.contextOf(request);
    const person = await services.login.identify(name, authenticator, { username, password }, context);
    const { browserSessions } = services;
    const previous = caveSessionOf(request, links);
    const { identity, authenticated } = person;
    const { secret, opened } = await browserSessions.begin(identity, authenticated, previous, context);
    noteLogin(request, { identity, principal: opened.principal.uuid });
    keepCaveSession(reply, links, secret, browserSessions.maxAge);
    return seeOther(reply, links.authorize(to?.href));
  } catch (error) {
    const problem = loginProblem(error);
    if (problem === null) throw error;
    reply.headers((error as Failure).headers);
    request.failure = error as Failure;
    return refuse((error as Failure).status, problem.kind === "wrong" ? INCORRECT : problem);
  }
}

/** In the words that CAVE's guides quote. */
const INCORRECT: LoginProblem = { kind: "wrong", text: FAILURES.wrong_password.detail };
