/** Numbers of people and groups in paths and queries. */
import type { FastifyRequest } from "fastify";
import { Failure } from "../../../errors.ts";
import { parameter } from "../../query.ts";

/** Ids in one query. */
const MOST = 1000;
/** Largest value of the columns. */
const LARGEST = 2_147_483_647;

/** Undefined for a text that is the number of nothing. */
export function readNumber(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  return value > 0 && value <= LARGEST ? value : undefined;
}

/** Of `?id=1,2`. `strict`: anything but a number is refused; otherwise it is skipped. */
export function idsOf(request: FastifyRequest, { strict }: { readonly strict: boolean }): readonly number[] {
  const parts = (parameter(request, "id") ?? "").split(",").filter((part) => part !== "");
  if (parts.length > MOST)
    throw new Failure("bad_request", { detail: `Ask for at most ${MOST} ids at once.` });
  if (strict && parts.some((part) => !/^\d+$/.test(part)))
    throw new Failure("bad_request", { detail: "The parameter id is a list of numbers, as in id=1,2." });
  return parts.flatMap((part) => readNumber(part) ?? []);
}
