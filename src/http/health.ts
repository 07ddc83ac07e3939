/**
 * `/healthz` says that the process answers; `/healthz/ready` that it can also do its work: read its database, and log
 * people in at its providers. Probes come every few seconds: what is wrong stands in the line of their request, and what
 * has changed in a line of its own, once. A provider says by itself when it fails and when it can be used again.
 */
import type { FastifyInstance, FastifySchema, RouteHandlerMethod } from "fastify";
import type { Logger } from "pino";
import { Type } from "typebox";
import type { BrowserLogin } from "../authenticators/contract.ts";
import { Failure } from "../errors.ts";
import { answerJson } from "./answer.ts";

export interface HealthOptions {
  readonly ping: () => Promise<void>;
  readonly providers: readonly {
    readonly name: string;
    readonly authenticator: Pick<BrowserLogin, "problem">;
  }[];
  readonly log: Pick<Logger, "error" | "warn">;
}

export function healthRoutes(app: FastifyInstance, { ping, providers, log }: HealthOptions): void {
  const response = { 200: Type.Object({ status: Type.Literal("ready") }) };
  /** What the log has of the database. */
  let told: string | null = null;

  const databaseFailure = async (): Promise<Failure | null> => {
    try {
      await ping();
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure("store_unavailable", { cause: error });
      if (told !== failure.message) log.error({ err: failure.cause ?? failure }, failure.message);
      told = failure.message;
      return failure;
    }
    if (told !== null) log.warn("The database can be used again.");
    told = null;
    return null;
  };

  const providerFailure = (): Failure | null => {
    const problems = providers.flatMap(({ name, authenticator }) => {
      const problem = authenticator.problem();
      return problem === null ? [] : [{ name, problem }];
    });
    if (problems.length === 0) return null;
    return new Failure("provider_unavailable", {
      detail: `Nobody can log in at: ${problems.map(({ name }) => name).join(", ")}.`,
      log: problems.map(({ name, problem }) => `Provider '${name}': ${problem}`).join(" "),
    });
  };

  probe(
    app,
    "/healthz",
    { tags: ["operation"], summary: "Is the process alive?", response },
    (_request, reply) => answerJson(reply, { status: "ready" }),
  );

  probe(
    app,
    "/healthz/ready",
    { tags: ["operation"], summary: "Can the server do its work?", response },
    async (request, reply) => {
      const failure = (await databaseFailure()) ?? providerFailure();
      if (failure === null) return answerJson(reply, { status: "ready" });
      request.failure = failure;
      return answerJson(reply.headers(failure.headers), { detail: failure.detail }, failure.status);
    },
  );
}

/** HAProxy asks with OPTIONS unless told otherwise. */
function probe(app: FastifyInstance, url: string, schema: FastifySchema, handler: RouteHandlerMethod): void {
  const config = { access: "public", hostless: true, quiet: true } as const;
  app.get(url, { config, schema }, handler);
  app.options(url, { config, schema: { hide: true } }, handler);
}
