/**
 * The end of a login token, which services link to. Without a token the address is a page: `browser/` shows it and decides who
 * gets it.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../../../errors.ts";
import { CaveErrorAnswer, Success } from "../../../schemas/cave.ts";
import type { TypedApp } from "../../typed-app.ts";
import { caveContext } from "../guard.ts";
import { sendJson } from "./answer.ts";
import { type CaveApiDeps, described, forTokens } from "./deps.ts";

/** The same address in a browser, failures included. */
export interface LogoutPage {
  show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** Has to check the form. */
  submit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
}

export function logoutRoutes(app: TypedApp, prefix: string, deps: CaveApiDeps, page: LogoutPage): void {
  const { gates, logins, proxies } = deps;
  const route = (method: "GET" | "POST", operationId: string) => ({
    method,
    url: `${prefix}/logout`,
    // A HEAD would end the login as well.
    exposeHeadRoute: false,
    config: { ...forTokens(gates.tokenOrPage), body: "form or json" } as const,
    schema: described(prefix, {
      operationId,
      summary: "End a login token; a browser gets a page",
      response: { 200: Success, 401: CaveErrorAnswer, 422: CaveErrorAnswer, 503: CaveErrorAnswer },
    }),
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const { cave } = request;
      if (cave === null) return method === "GET" ? page.show(request, reply) : page.submit(request, reply);
      const { credential } = cave;
      if (credential.kind === "api_token") throw new Failure("api_token");
      await logins.end(credential.login, caveContext(request, proxies));
      return sendJson(reply, "success");
    },
  });
  app.route(route("POST", "endCaveLogin"));
  app.route(route("GET", "endCaveLoginByGet"));
}
