/** Which dataset a service's table belongs to, and the questions about public cells, which do not exist here: no root is public. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../../../errors.ts";
import { CaveErrorAnswer, DatasetName, NeverPublic } from "../../../schemas/cave.ts";
import type { TypedApp } from "../../typed-app.ts";
import { sendJson } from "./answer.ts";
import { type CaveApiDeps, described, forTokens } from "./deps.ts";

const REFUSED = { 401: CaveErrorAnswer, 503: CaveErrorAnswer };

export function tableRoutes(app: TypedApp, prefix: string, { gates, rules }: CaveApiDeps): void {
  const config = forTokens(gates.token);
  app.get(
    `${prefix}/service/:namespace/table/:table/dataset`,
    {
      config,
      schema: described(prefix, {
        operationId: "getCaveDatasetOfTable",
        summary: "The dataset that a service's table belongs to",
        response: { 200: DatasetName, ...REFUSED, 404: CaveErrorAnswer },
      }),
    },
    async (request, reply) => {
      const { namespace, table } = request.params as { readonly namespace: string; readonly table: string };
      const dataset = rules.current.datasetOf(namespace, table);
      if (dataset === undefined) throw new Failure("not_found", { detail: "No dataset has this table." });
      return sendJson(reply, dataset);
    },
  );

  const never = async (_request: FastifyRequest, reply: FastifyReply) => sendJson(reply, false);
  const schema = (operationId: string) =>
    described(prefix, {
      operationId,
      summary: "Whether cells are public: never",
      response: { 200: NeverPublic, ...REFUSED },
    });
  app.get(`${prefix}/table/:table/has_public`, { config, schema: schema("hasCavePublicCells") }, never);
  app.get(
    `${prefix}/table/:table/root/:root/is_public`,
    { config, schema: schema("isCaveCellPublic") },
    never,
  );
  app.post(
    `${prefix}/table/:table/root_all_public`,
    { config: { ...config, body: "json" }, schema: schema("areCaveCellsPublic") },
    never,
  );
}
