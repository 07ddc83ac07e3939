/**
 * `/healthz` says that the process answers; `/healthz/ready` that it can also do its work: read its database, and log
 * people in at its providers. What is wrong with one of them goes to the log, once for as long as it stays the same.
 */
import type { FastifyInstance } from "fastify";
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
}

export function healthRoutes(app: FastifyInstance, { ping, providers }: HealthOptions): void {
  const response = { 200: Type.Object({ status: Type.Literal("ready") }) };
  /** The problems that the log has. */
  const told = new Map<string, string>();

  const unusable = (): string[] => {
    const names: string[] = [];
    for (const { name, authenticator } of providers) {
      const problem = authenticator.problem();
      if (problem === null) {
        told.delete(name);
        continue;
      }
      names.push(name);
      if (told.get(name) !== problem) app.log.warn({ provider: name }, `Provider '${name}': ${problem}`);
      told.set(name, problem);
    }
    return names;
  };

  app.get(
    "/healthz",
    {
      config: { access: "public" },
      schema: { tags: ["operation"], summary: "Is the process alive?", response },
    },
    (_request, reply) => answerJson(reply, { status: "ready" }),
  );

  app.get(
    "/healthz/ready",
    {
      config: { access: "public" },
      schema: { tags: ["operation"], summary: "Can the server do its work?", response },
    },
    async (_request, reply) => {
      try {
        await ping();
      } catch (error) {
        throw error instanceof Failure ? error : new Failure("store_unavailable", { cause: error });
      }
      const names = unusable();
      if (names.length > 0) {
        throw new Failure("provider_unavailable", { detail: `Nobody can log in at: ${names.join(", ")}.` });
      }
      return answerJson(reply, { status: "ready" });
    },
  );
}
