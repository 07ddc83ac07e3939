/**
 * `GET /api/v1/array/full/…` and `/array/block/…`: an array or one of its chunks, or a slice of either.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { Failure } from "../../errors.ts";
import { pythonTuple } from "../../lib/python.ts";
import { type ArrayFormat, MOST_EMPTY_LISTS, SCATTERED_BYTES } from "../../trees/encoding/body.ts";
import { emptyJson, hasText, type TextFormat, textBytes } from "../../trees/encoding/text.ts";
import type { ArrayData } from "../../trees/model/contract.ts";
import {
  countOf,
  parseSlices,
  type Selection,
  SLICE_PATTERN,
  type Slice,
  select,
  selectBlock,
  shapeOf,
  spanOf,
  within,
} from "../../trees/model/selection.ts";
import { BYTES_TYPE, JSON_TYPE, type MediaType } from "../../trees/search/formats.ts";
import type { TypedApp } from "../typed-app.ts";
import { sendBody } from "./body.ts";
import { DataQuery, dataRoute, unfit, wantedType } from "./data.ts";
import { findData, type TreeDeps } from "./nodes.ts";
import { unreadable } from "./query.ts";

const MAX_BYTES = 300_000_000;
/** Limit for the estimated text of an array; writing text takes far longer than copying bytes. */
const MAX_TEXT_BYTES = 20_000_000;

const ArrayQuery = Type.Object({
  slice: Type.Optional(
    Type.String({ pattern: SLICE_PATTERN, description: "NumPy's basic slicing: `0:3,-1`" }),
  ),
  expected_shape: Type.Optional(
    Type.String({
      pattern: "^[0-9]+(,[0-9]+)*$|^scalar$",
      description: "Refuse if the result has another shape.",
    }),
  ),
  ...DataQuery,
});
const BlockQuery = Type.Object({
  block: Type.String({
    pattern: "^[0-9]*(,[0-9]+)*$",
    description: "The chunk's index along each dimension",
  }),
  ...ArrayQuery.properties,
});

/** Registers the routes of arrays. */
export function arrayRoutes(app: TypedApp, deps: TreeDeps): void {
  app.get(
    "/api/v1/array/full/*",
    dataRoute("readArray", "Read an array or a slice of it", ["array"], ArrayQuery),
    async (request, reply) => {
      const data = await findData(deps, request, "array");
      const selection = select(data.shape, readSlice(request.query.slice));
      if (selection === undefined) throw new Failure("bad_request", { detail: "Block index out of range" });
      checkShape(request.query.expected_shape, selection);
      return sendArray(deps, request, reply, data, selection);
    },
  );

  app.get(
    "/api/v1/array/block/*",
    dataRoute("readArrayBlock", "Read a chunk of an array or a slice of it", ["array"], BlockQuery),
    async (request, reply) => {
      const data = await findData(deps, request, "array");
      const block = readBlock(data, request.query.block);
      const shape = block.map(({ length }) => length);
      const inner = select(shape, readSlice(request.query.slice));
      if (inner === undefined) {
        const detail = `The slice is not valid for the shape ${pythonTuple(shape)} that would result from the requested block.`;
        throw new Failure("invalid", { detail });
      }
      checkShape(request.query.expected_shape, inner);
      return sendArray(deps, request, reply, data, within(block, inner));
    },
  );
}

function readSlice(text = ""): readonly Slice[] {
  const slices = parseSlices(text);
  if (slices !== undefined) return slices;
  throw unreadable("slice", {
    type: "value_error",
    msg: "A part of the slice is empty, or it has too many parts",
  });
}

function readBlock({ chunks, shape }: ArrayData, text: string): Selection {
  const indices = text === "" ? [] : text.split(",");
  if (indices.length !== shape.length) {
    throw new Failure("invalid", {
      detail: `Block parameter must have ${shape.length} comma-separated parameters, corresponding to the dimensions of this ${shape.length}-dimensional array.`,
    });
  }
  const block = indices.includes("") ? undefined : selectBlock(chunks, indices.map(Number));
  if (block !== undefined) return block;
  throw new Failure("invalid", {
    detail: `Block parameter does not match the chunks dimensionality. Expected ${shape.length} comma-separated integers, that index ${pythonTuple(chunks.map(pythonTuple))}.`,
  });
}

function checkShape(expected: string | undefined, selection: Selection): void {
  if (expected === undefined) return;
  const shape = shapeOf(selection);
  const wanted = expected === "scalar" ? [] : expected.split(",").map(Number);
  if (wanted.length === shape.length && wanted.every((length, dimension) => length === shape[dimension]))
    return;
  throw new Failure("invalid", {
    detail: `The expected shape does not match the actual shape ${pythonTuple(shape)} that would result from the requested block and slice.`,
  });
}

async function sendArray(
  deps: TreeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  data: ArrayData,
  selection: Selection,
): Promise<FastifyReply> {
  const mediaType = wantedType(request, "array");
  const format = formatOf(mediaType);
  const shape = shapeOf(selection);
  const bytes = countOf(selection) * data.dataType.itemsize;
  const cost = format === "bytes" ? bytes : textCost(data, selection, format);
  if (cost > (format === "bytes" ? MAX_BYTES : MAX_TEXT_BYTES)) {
    throw new Failure("bad_request", {
      detail: `The response would be too large for ${mediaType.name}. Use slicing ('?slice=...') to request smaller chunks.`,
    });
  }
  if (format === "csv" && shape.length > 2)
    throw unfit(mediaType, `The shape of this data ${pythonTuple(shape)}`);
  if (format !== "bytes" && !hasText(data.dataType, format))
    throw unfit(mediaType, "The data type of this array");
  const job = { kind: "array", data, selection, format } as const;
  return sendBody(deps, request, reply, mediaType, job, {
    // The bytes to read: from a file also those in between, from a table whole partitions.
    bytes: data.pieces === undefined ? Math.max(cost, toRead(data, selection)) : Number.POSITIVE_INFINITY,
    held: data.scattered ? Math.min(bytes, SCATTERED_BYTES) : 0,
    length: format === "bytes" ? bytes : null,
  });
}

function formatOf({ name }: MediaType): ArrayFormat {
  return name === BYTES_TYPE ? "bytes" : name === JSON_TYPE ? "json" : "csv";
}

function textCost(data: ArrayData, selection: Selection, format: TextFormat): number {
  if (data.texts !== undefined) return data.texts.cost(selection);
  const count = countOf(selection);
  if (count === 0 && format === "json" && emptyJson(shapeOf(selection), MOST_EMPTY_LISTS) === undefined)
    return Number.POSITIVE_INFINITY;
  return count * textBytes(data.dataType);
}

/** Spaced elements of a file are read together with everything between them. */
function toRead({ source, dataType, shape, scattered }: ArrayData, selection: Selection): number {
  if (source?.kind !== "npy") return 0;
  const span = scattered ? shape.reduce((product, size) => product * size, 1) : spanOf(selection, shape);
  return span * dataType.itemsize;
}
