/**
 * `GET /api/v1/metadata/…`: describes one node. `search.ts` lists several.
 */
import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { Failure } from "../../errors.ts";
import { refusals } from "../../schemas/errors.ts";
import { NodeAnswer } from "../../schemas/tree.ts";
import type { TreeNode } from "../../trees/model/contract.ts";
import { termOf } from "../../trees/search/filters.ts";
import { answer } from "../answer.ts";
import { isOlder, pythonClient } from "../headers.ts";
import type { TypedApp } from "../typed-app.ts";
import { findNode, keepForCaller, noSuchEntry, segmentsOf, type TreeDeps } from "./nodes.ts";
import { Repeated, unify } from "./query.ts";
import { FIELDS, type Field, MAX_DEPTH, type ResourceOptions, resource } from "./resource.ts";

/** Query parameters of every route that describes nodes. */
export const ResourceQuery = {
  fields: Repeated<Field>({ type: "string", enum: [...FIELDS] }),
  select_metadata: Type.Optional(
    Type.String({ description: "A key such as `sample.name`: only this part of the metadata is shown." }),
  ),
  max_depth: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_DEPTH })),
  omit_links: Type.Optional(Type.Boolean()),
  include_data_sources: Type.Optional(Type.Boolean({ description: "No effect: nodes have no files." })),
};

const ResourceParameters = Type.Object(ResourceQuery);

const MetadataQuery = Type.Object({ ...ResourceQuery, root_path: Type.Optional(Type.Boolean()) });

/** Registers the route. */
export function metadataRoute(app: TypedApp, deps: TreeDeps): void {
  app.get(
    "/api/v1/metadata/*",
    {
      config: { access: { scopes: ["read:metadata"] } },
      schema: {
        tags: ["tree"],
        operationId: "describeNode",
        summary: "Describe a node",
        querystring: MetadataQuery,
        response: { 200: NodeAnswer, ...refusals(400, 401, 404, 422, 429) },
      },
      preValidation: unify(MetadataQuery),
      preHandler: keepForCaller,
    },
    async (request, reply) => {
      const { links } = deps;
      const segments = segmentsOf(request);
      const node = await findNode(deps, request, "read:metadata");
      const options = resourceOptions(request, `${links.base(request)}/api/v1`);
      const data = await resource(segments, node, options);
      if (data === undefined) throw noSuchEntry(segments);
      return answer(request, reply, {
        data,
        error: null,
        links: null,
        meta: request.query.root_path === true ? { root_path: links.rootPath || "/" } : {},
      });
    },
  );
}

/** Reads these parameters. `api`: the base URL with `/api/v1`. */
export function resourceOptions(
  request: FastifyRequest<{ Querystring: Static<typeof ResourceParameters> }>,
  api: string,
): ResourceOptions {
  const { query } = request;
  const version = pythonClient(request.headers["user-agent"]);
  return {
    api,
    fields: new Set(query.fields ?? FIELDS),
    omitLinks: query.omit_links ?? false,
    maxDepth: query.max_depth ?? null,
    metadataOf: metadataReader(query.select_metadata),
    legacyTags: version !== undefined && isOlder(version, [0, 2, 19, 3]),
  };
}

/** Tiled accepts any JMESPath expression here; its clients send keys joined by dots. */
function metadataReader(selected: string | undefined): (node: TreeNode) => unknown {
  if (selected === undefined) return (node) => node.metadata;
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(selected)) {
    throw new Failure("bad_request", {
      detail:
        "The parameter 'select_metadata' is not a key or keys joined by dots; other expressions are not supported here.",
    });
  }
  return (node) => ({ selected: termOf(node, selected) ?? null });
}
