/**
 * `GET /api/v1/distinct/…`: the distinct metadata values, structure families and specs among a container's children, optionally
 * with counts.
 */
import { Type } from "typebox";
import { Failure } from "../../errors.ts";
import { refusals } from "../../schemas/errors.ts";
import { DistinctAnswer } from "../../schemas/tree.ts";
import type { Entry } from "../../trees/model/contract.ts";
import { termOf } from "../../trees/search/filters.ts";
import { answer } from "../answer.ts";
import type { TypedApp } from "../typed-app.ts";
import { filterParameters, readFilters } from "./filters.ts";
import { findFamily, keepForCaller, type TreeDeps } from "./nodes.ts";
import { Repeated, unify } from "./query.ts";
import { childrenOf, walking } from "./walk.ts";

const DistinctQuery = Type.Object({
  metadata: Repeated({ type: "string", description: "A key such as `sample.name`" }),
  structure_families: Type.Optional(Type.Boolean()),
  specs: Type.Optional(Type.Boolean()),
  counts: Type.Optional(Type.Boolean({ description: "Include how often each occurs." })),
});

/** Registers the route. */
export function distinctRoute(app: TypedApp, deps: TreeDeps): void {
  const querystring = Type.Object({ ...DistinctQuery.properties, ...filterParameters() });
  app.get(
    "/api/v1/distinct/*",
    {
      config: { access: { scopes: ["read:metadata"] } },
      schema: {
        tags: ["tree"],
        operationId: "listDistinctValues",
        summary: "List the distinct values among a container's children",
        querystring,
        response: {
          200: DistinctAnswer,
          ...refusals(400, 401, 404, 422, 429, 503),
        },
      },
      preValidation: unify(querystring),
      preHandler: keepForCaller,
    },
    async (request, reply) => {
      const { metadata = [], structure_families, specs, counts } = request.query;
      const node = await findFamily(deps, request, "container", "read:metadata");
      const filters = readFilters(request.query);
      const tallies = {
        metadata: metadata.map((key) => new Tally(([, child]) => termOf(child, key))),
        structure_families: new Tally(([, { family }]) => family),
        specs: new Tally(([, child]) => child.specs),
      };
      await walking(deps, request, await node.count(), async () => {
        for await (const entry of childrenOf(node)) {
          if (!filters.every((passes) => passes(entry))) continue;
          for (const tally of tallies.metadata) tally.add(entry);
          if (structure_families === true) tallies.structure_families.add(entry);
          if (specs === true) tallies.specs.add(entry);
        }
      });
      const counted = counts ?? false;
      const byKey = metadata.map((key, index) => [key, tallies.metadata[index]?.occurring(counted)] as const);
      return answer(request, reply, {
        metadata: byKey.length > 0 ? Object.fromEntries(byKey) : null,
        structure_families:
          structure_families === true ? tallies.structure_families.occurring(counted) : null,
        specs: specs === true ? tallies.specs.occurring(counted) : null,
      });
    },
  );
}

interface Occurrence {
  readonly value: unknown;
  readonly count: number | null;
}

/** Limit for all distinct values, in characters of JSON. */
const MAX_VALUES = 4 * 1024 * 1024;

class Tally {
  readonly #pick: (entry: Entry) => unknown;
  readonly #found = new Map<string, { readonly value: unknown; count: number }>();
  #characters = 0;

  constructor(pick: (entry: Entry) => unknown) {
    this.#pick = pick;
  }

  add(entry: Entry): void {
    const value = this.#pick(entry);
    if (value === undefined || value === null) return;
    const key = JSON.stringify(value);
    const known = this.#found.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    this.#characters += key.length;
    if (this.#characters > MAX_VALUES) {
      throw new Failure("bad_request", { detail: "There are too many distinct values. Narrow the search." });
    }
    this.#found.set(key, { value, count: 1 });
  }

  occurring(counted: boolean): readonly Occurrence[] {
    return [...this.#found.values()].map(({ value, count }) => ({ value, count: counted ? count : null }));
  }
}
