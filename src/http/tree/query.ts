/**
 * Query parameters of the tree's routes: shared schemas, and the handling of repeated parameters.
 */
import type { FastifyRequest } from "fastify";
import { type TObject, Type } from "typebox";
import { Failure, type InputProblem } from "../../errors.ts";

/** A parameter that may be repeated. */
export function Repeated<Item extends string>(item: Readonly<Record<string, unknown>>) {
  return Type.Optional(Type.Unsafe<readonly Item[]>({ type: "array", items: item }));
}

/** A hook before validation: a repeatable parameter always becomes a list; of any other, the last value counts, as in Tiled. */
export function unify({ properties }: TObject): (request: FastifyRequest) => Promise<void> {
  const lists = new Set(
    Object.entries(properties).flatMap(([name, schema]) => ("items" in schema ? [name] : [])),
  );
  return async (request) => {
    const query = request.query as Record<string, unknown>;
    for (const [name, value] of Object.entries(query)) {
      if (lists.has(name)) query[name] = [value].flat();
      else if (Array.isArray(value)) query[name] = value.at(-1);
    }
  };
}

/** A 422 answer about one parameter; it never repeats the value. */
export function unreadable(parameter: string, problem: Pick<InputProblem, "type" | "msg">): Failure {
  return new Failure("invalid", { detail: [{ ...problem, loc: ["query", parameter] }] });
}
