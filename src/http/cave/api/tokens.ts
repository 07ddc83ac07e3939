/**
 * A person's own API tokens. Each route needs one of them: a login token, which travels through browsers, can do nothing here.
 * A token is shown once, when it is made. GET makes one for a program's token only; a person is sent to the page of tokens.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../../../errors.ts";
import {
  CaveErrorAnswer,
  CaveTokenBody,
  CaveTokenList,
  CaveTokenText,
  Success,
} from "../../../schemas/cave.ts";
import type { TypedApp } from "../../typed-app.ts";
import { caveCallerOf, caveContext } from "../guard.ts";
import { sendJson } from "./answer.ts";
import { type CaveApiDeps, described, forTokens } from "./deps.ts";
import { tokenView } from "./views.ts";

const REFUSED = { 401: CaveErrorAnswer, 403: CaveErrorAnswer, 503: CaveErrorAnswer };
const MADE = { 200: CaveTokenText, 400: CaveErrorAnswer, ...REFUSED };
/** A HEAD of a GET that makes something would make it, too, and answer without it. */
const NO_HEAD = { exposeHeadRoute: false } as const;

export function tokenRoutes(app: TypedApp, prefix: string, deps: CaveApiDeps): void {
  const { gates, tokens, proxies } = deps;
  const config = forTokens(gates.apiToken);
  const withBody = { ...config, body: "json" } as const;

  const create = async (request: FastifyRequest, reply: FastifyReply) => {
    const { principal } = caveCallerOf(request);
    const made = await tokens.create(principal, descriptionOf(request), caveContext(request, proxies));
    return sendJson(reply, made.token);
  };
  const replace = async (request: FastifyRequest, reply: FastifyReply) => {
    const { principal } = caveCallerOf(request);
    const made = await tokens.replaceOnly(principal, descriptionOf(request), caveContext(request, proxies));
    if (made.kind === "several") throw new Failure("several_tokens");
    return sendJson(reply, made.token);
  };

  const made = (operationId: string, summary: string) =>
    described(prefix, { operationId, summary, response: MADE });
  const posted = (operationId: string, summary: string) =>
    described(prefix, {
      operationId,
      summary,
      body: CaveTokenBody,
      response: { ...MADE, 422: CaveErrorAnswer },
    });
  app.post(
    `${prefix}/user/token`,
    { config: withBody, schema: posted("createCaveToken", "Create an API token") },
    create,
  );
  app.post(
    `${prefix}/create_token`,
    { config: withBody, schema: posted("createCaveTokenAtOldPath", "Create an API token") },
    create,
  );
  app.get(
    `${prefix}/create_token`,
    {
      config,
      schema: made("createCaveTokenByGet", "Create an API token; a browser is sent to a page"),
      ...NO_HEAD,
    },
    create,
  );
  const replacing = "Replace your only API token, or create the first";
  app.post(
    `${prefix}/refresh_token`,
    { config: withBody, schema: posted("replaceCaveToken", replacing) },
    replace,
  );
  app.get(
    `${prefix}/refresh_token`,
    {
      config,
      schema: made("replaceCaveTokenByGet", `${replacing}; a browser is sent to a page`),
      ...NO_HEAD,
    },
    replace,
  );

  app.get(
    `${prefix}/user/token`,
    {
      config,
      schema: described(prefix, {
        operationId: "listCaveTokens",
        summary: "List your API tokens, newest first",
        response: { 200: CaveTokenList, ...REFUSED },
      }),
    },
    async (request, reply) => {
      const { person } = caveCallerOf(request);
      const found = await tokens.list(person.uuid, caveContext(request, proxies));
      return sendJson(
        reply,
        found.map((token) => tokenView(person, token)),
      );
    },
  );

  app.delete(
    `${prefix}/user/token/:id`,
    {
      config,
      schema: described(prefix, {
        operationId: "revokeCaveToken",
        summary: "Revoke one of your API tokens",
        response: { 200: Success, ...REFUSED, 404: CaveErrorAnswer },
      }),
    },
    async (request, reply) => {
      const { id } = request.params as { readonly id: string };
      const { person } = caveCallerOf(request);
      const number = /^\d{1,10}$/.test(id) ? Number(id) : -1;
      if (!(await tokens.revoke(person.uuid, number, caveContext(request, proxies))))
        throw new Failure("not_found", { detail: "You have no such token." });
      return sendJson(reply, "success");
    },
  );
}

function descriptionOf({ body }: FastifyRequest): string | null {
  return (body as { readonly description?: string | null } | null | undefined)?.description ?? null;
}
