/**
 * `/healthz` says that the process is alive, `/healthz/ready` that the database accepts logins. An unavailable provider is
 * reported in the body and the metrics only: it is down for every server, and a balancer that removed them all would cut off
 * users of other providers. Providers log their own failures and recoveries.
 */
import type { FastifyInstance, FastifySchema, RouteHandlerMethod } from "fastify";
import { Type } from "typebox";
import type { ProviderLogin } from "../../domain/ports/authenticator.ts";
import { answerJson } from "../answer.ts";
import type { Readiness } from "./readiness.ts";

/** `unavailable`: logins at the provider fail at the moment. */
type ProviderState = "ok" | "unavailable";

export interface HealthOptions {
  readonly readiness: Pick<Readiness, "check">;
  /** External providers, and directories. */
  readonly providers: readonly {
    readonly name: string;
    readonly authenticator: Pick<ProviderLogin, "problem">;
  }[];
}

export function providerStates(
  providers: HealthOptions["providers"],
): readonly (readonly [name: string, state: ProviderState])[] {
  return providers.map(({ name, authenticator }) => [
    name,
    authenticator.problem() === null ? "ok" : "unavailable",
  ]);
}

const STATUS = Type.Literal("ready");
const ALIVE = { 200: Type.Object({ status: STATUS }, { title: "Health" }) };
const READY = {
  200: Type.Object(
    {
      status: STATUS,
      providers: Type.Record(Type.String(), Type.Union([Type.Literal("ok"), Type.Literal("unavailable")])),
    },
    { title: "Readiness" },
  ),
};

export function healthRoutes(app: FastifyInstance, { readiness, providers }: HealthOptions): void {
  probe(
    app,
    "/healthz",
    {
      tags: ["operation"],
      operationId: "checkLiveness",
      summary: "Liveness of the process",
      response: ALIVE,
    },
    (_request, reply) => answerJson(reply, { status: "ready" }),
  );

  probe(
    app,
    "/healthz/ready",
    {
      tags: ["operation"],
      operationId: "checkReadiness",
      summary: "Readiness: whether the database accepts logins",
      response: READY,
    },
    async (request, reply) => {
      const failure = await readiness.check();
      if (failure === null)
        return answerJson(reply, {
          status: "ready",
          providers: Object.fromEntries(providerStates(providers)),
        });
      request.failure = failure;
      return answerJson(reply.headers(failure.headers), { detail: failure.detail }, failure.status);
    },
  );
}

/** HAProxy probes with OPTIONS by default. */
function probe(app: FastifyInstance, url: string, schema: FastifySchema, handler: RouteHandlerMethod): void {
  const config = { access: "public", hostless: true, quiet: true } as const;
  app.get(url, { config, schema }, handler);
  app.options(url, { config, schema: { hide: true } }, handler);
}
