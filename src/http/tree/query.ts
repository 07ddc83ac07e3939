/**
 * Query parameters of the tree's routes: schemas that several of them share, and which of several values counts.
 */
import type { FastifyRequest } from "fastify";
import { type TObject, Type } from "typebox";
import { Failure, type InputProblem } from "../../errors.ts";

/** Parameters that may be repeated. */
export function Repeated<Item extends string>(item: Readonly<Record<string, unknown>>) {
  return Type.Optional(Type.Unsafe<readonly Item[]>({ type: "array", items: item }));
}

/**
 * A hook that runs before validation: a parameter that may be repeated becomes a list, of any other one the last value
 * counts, as in Tiled.
 */
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

/** 422 about one parameter; the text never repeats its value. */
export function unreadable(parameter: string, problem: Pick<InputProblem, "type" | "msg">): Failure {
  return new Failure("invalid", { detail: [{ ...problem, loc: ["query", parameter] }] });
}
