/**
 * `/sticky_auth/settings/tokens`: a person's API tokens, with forms that create and revoke them. Opening the page changes
 * nothing. Programs use the routes in `../api`; keys of other kinds are on the account page (`people/account.ts`).
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type CaveTokens, tokenIdOf } from "../../../domain/cave/tokens.ts";
import type { CaveToken } from "../../../domain/model/cave.ts";
import { Failure } from "../../../errors.ts";
import { newTokenPage } from "../../../pages/cave/new-token.ts";
import {
  LONGEST_DESCRIPTION,
  TOKEN_NOTICES,
  type TokenNotice,
  type TokenProblem,
  type TokensPage,
  tokensPage,
} from "../../../pages/cave/tokens.ts";
import { CaveTokensBody, CaveTokensQuery } from "../../../schemas/pages.ts";
import { personOf } from "../../access/callers.ts";
import { seeOther } from "../../people/problem-pages.ts";
import { sendPage } from "../../send-page.ts";
import type { TypedApp } from "../../typed-app.ts";
import type { CavePageDeps } from "./deps.ts";
import { logoutPage } from "./logout.ts";
import { csrfFieldOf } from "./session.ts";

export interface TokensDeps extends CavePageDeps {
  readonly tokens: CaveTokens;
}

interface View {
  readonly status?: number;
  readonly notice?: TokenNotice | null;
  readonly problem?: TokensPage["problem"];
}

const PATH = "/sticky_auth/settings/tokens";
/** Of the newest tokens, by which a form that is sent again is noticed. */
const MOST_KNOWN = 100;

export function tokensRoutes(app: TypedApp, deps: TokensDeps): void {
  const access = { gate: deps.gates.person };
  const leaving = logoutPage(deps);

  app.get(
    PATH,
    { config: { access }, schema: { hide: true, querystring: CaveTokensQuery } },
    (request, reply) => show(deps, request, reply, { notice: noticeOf(request.query.done) }),
  );

  app.post(
    PATH,
    { config: { access, body: "form", formToken: true }, schema: { hide: true, body: CaveTokensBody } },
    async (request, reply) => {
      const { token_id: id, description, logout, known } = request.body;
      if ([id, description, logout].filter((field) => field !== undefined).length !== 1) {
        throw new Failure("bad_request", { log: "no form of the page has these fields" });
      }
      if (id !== undefined) return await revoke(deps, request, reply, id);
      if (description !== undefined) return await create(deps, request, reply, { description, known });
      return await leaving.submit(request, reply);
    },
  );
}

async function show(
  deps: TokensDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { status = 200, notice = null, problem = null }: View,
): Promise<FastifyReply> {
  const { site, links, clock } = deps;
  const { identity } = personOf(request);
  const tokens = await listOf(deps, request);
  const page = tokensPage({
    site,
    basePath: links.stickyPath,
    action: links.tokensPage,
    csrf: csrfFieldOf(request, links),
    now: clock.now(),
    name: identity.id,
    provider: identity.provider,
    tokens: tokens.map((token) => ({ ...token, id: tokenIdOf(token) })),
    known: newest(tokens).join(" "),
    notice,
    problem,
  });
  return sendPage(reply, page, { status, noStore: true });
}

async function revoke(
  deps: TokensDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  given: string,
): Promise<FastifyReply> {
  const { tokens, services, links } = deps;
  const { principal } = personOf(request);
  const id = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
  const revoked = await tokens.revoke(principal.uuid, id, services.contextOf(request));
  if (!revoked) return await show(deps, request, reply, { status: 404, notice: "gone" });
  return seeOther(reply, `${links.tokensPage}?done=revoked`);
}

/** The answer shows the token, so a form that a browser sends again must not create another one unnoticed. */
async function create(
  deps: TokensDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { description, known }: { readonly description: string; readonly known: string | undefined },
): Promise<FastifyReply> {
  const { site, links, tokens, services } = deps;
  const note = description.trim() === "" ? null : description;
  const refuse = (kind: TokenProblem, status: number) =>
    show(deps, request, reply, { status, problem: { kind, description } });
  if (known !== undefined && wasCreated(note, known, await listOf(deps, request))) {
    return await refuse("repeated", 409);
  }
  try {
    const { token } = await tokens.create(personOf(request).principal, note, services.contextOf(request));
    const page = newTokenPage({
      site,
      basePath: links.stickyPath,
      tokensHref: links.tokensPage,
      serverAddress: links.base,
      token,
      description: note,
    });
    return sendPage(reply, page, { noStore: true, script: true });
  } catch (error) {
    const kind = problemOf(error, description);
    if (kind === null) throw error;
    request.failure = error as Failure;
    return await refuse(kind, (error as Failure).status);
  }
}

function problemOf(error: unknown, description: string): TokenProblem | null {
  if (!(error instanceof Failure)) return null;
  if (error.code === "limit_reached") return "limit";
  if (error.code !== "invalid") return null;
  return [...description].length > LONGEST_DESCRIPTION ? "long" : "unusable";
}

async function listOf(
  { tokens, services }: TokensDeps,
  request: FastifyRequest,
): Promise<readonly CaveToken[]> {
  return await tokens.list(personOf(request).principal.uuid, services.contextOf(request));
}

/** Whether a token with this description exists that the page with the form did not list. */
function wasCreated(note: string | null, known: string, tokens: readonly CaveToken[]): boolean {
  const listed = new Set(known.split(" "));
  const unlisted = new Set(newest(tokens).filter((firstEight) => !listed.has(firstEight)));
  return tokens.some(({ firstEight, description }) => unlisted.has(firstEight) && description === note);
}

function newest(tokens: readonly CaveToken[]): readonly string[] {
  return tokens.slice(0, MOST_KNOWN).map(({ firstEight }) => firstEight);
}

function noticeOf(done: string | undefined): TokenNotice | null {
  return done !== undefined && Object.hasOwn(TOKEN_NOTICES, done) ? (done as TokenNotice) : null;
}
