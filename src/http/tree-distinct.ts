/**
 * `GET /api/v1/distinct/…`: which values, kinds and specs occur among a container's children, and how often.
 */
import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import { Problem } from "../schemas/auth.ts";
import { DistinctAnswer } from "../schemas/tree.ts";
import type { Entry } from "../trees/contract.ts";
import { termOf } from "../trees/filters.ts";
import { answer } from "./answer.ts";
import { filterParameters, readFilters } from "./tree-filters.ts";
import { findFamily, keepForCaller, type OnNode, type TreeDeps } from "./tree-nodes.ts";
import { Repeated, unify } from "./tree-query.ts";

const DistinctQuery = Type.Object({
  metadata: Repeated({ type: "string", description: "A key such as `sample.name`" }),
  structure_families: Type.Optional(Type.Boolean()),
  specs: Type.Optional(Type.Boolean()),
  counts: Type.Optional(Type.Boolean({ description: "Tell how often each occurs." })),
});

export function distinctRoute(app: FastifyInstance, deps: TreeDeps): void {
  const querystring = Type.Object({ ...DistinctQuery.properties, ...filterParameters() });
  app.get<{ Params: OnNode; Querystring: Static<typeof DistinctQuery> }>(
    "/api/v1/distinct/*",
    {
      config: { access: { scopes: ["read:metadata"] } },
      schema: {
        tags: ["tree"],
        summary: "List what occurs among a container's children",
        querystring,
        response: { 200: DistinctAnswer, 400: Problem, 401: Problem, 404: Problem, 422: Problem },
      },
      preValidation: unify(querystring),
      preHandler: keepForCaller,
    },
    async (request, reply) => {
      const { metadata = [], structure_families, specs, counts } = request.query;
      const node = await findFamily(deps, request, "container", "read:metadata");
      const filters = readFilters(request.query);
      const all = await node.entries({ offset: 0, limit: await node.count() });
      const entries = all.filter((entry) => filters.every((passes) => passes(entry)));
      const occurring = (pick: (entry: Entry) => unknown) => tally(entries.map(pick), counts ?? false);
      const byKey = metadata.map((key) => [key, occurring(([, child]) => termOf(child, key))] as const);
      return answer(request, reply, {
        metadata: byKey.length > 0 ? Object.fromEntries(byKey) : null,
        structure_families: structure_families === true ? occurring(([, { family }]) => family) : null,
        specs: specs === true ? occurring(([, child]) => child.specs) : null,
      });
    },
  );
}

interface Occurrence {
  readonly value: unknown;
  readonly count: number | null;
}

function tally(values: readonly unknown[], counted: boolean): readonly Occurrence[] {
  const found = new Map<string, { value: unknown; count: number }>();
  for (const value of values) {
    if (value === undefined || value === null) continue;
    const key = JSON.stringify(value);
    const known = found.get(key);
    if (known === undefined) found.set(key, { value, count: 1 });
    else known.count += 1;
  }
  return [...found.values()].map(({ value, count }) => ({ value, count: counted ? count : null }));
}
