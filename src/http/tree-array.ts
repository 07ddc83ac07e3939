/**
 * `GET /api/v1/array/full/…` and `/array/block/…`: an array or a slice of it, whole or of one of its chunks.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { Failure } from "../errors.ts";
import { pythonTuple } from "../lib/python.ts";
import type { ArrayData } from "../trees/contract.ts";
import { BYTES_TYPE, JSON_TYPE } from "../trees/formats.ts";
import {
  countOf,
  parseSlices,
  type Selection,
  SLICE_PATTERN,
  type Slice,
  select,
  selectBlock,
  shapeOf,
  within,
} from "../trees/selection.ts";
import { arrayCsv, arrayJson, elementTexts } from "../trees/text.ts";
import { DataQuery, dataRoute, sendData, unfit, wantedType } from "./tree-data.ts";
import { findData, type OnNode, type TreeDeps } from "./tree-nodes.ts";
import { unreadable } from "./tree-query.ts";

const MAX_BYTES = 300_000_000;
/** Text is made in one go, and must not hold up other requests for long. */
const MAX_TEXT_ELEMENTS = 250_000;

const ArrayQuery = Type.Object({
  slice: Type.Optional(
    Type.String({ pattern: SLICE_PATTERN, description: "NumPy's basic slicing: `0:3,-1`" }),
  ),
  expected_shape: Type.Optional(
    Type.String({ pattern: "^[0-9]+(,[0-9]+)*$|^scalar$", description: "Refuse anything of another shape." }),
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

export function arrayRoutes(app: FastifyInstance, deps: TreeDeps): void {
  app.get<{ Params: OnNode; Querystring: Static<typeof ArrayQuery> }>(
    "/api/v1/array/full/*",
    dataRoute("Read an array or a slice of it", ArrayQuery),
    async (request, reply) => {
      const data = await findData(deps, request, "array");
      const selection = select(data.shape, readSlice(request.query.slice));
      if (selection === undefined) throw new Failure("bad_request", { detail: "Block index out of range" });
      checkShape(request.query.expected_shape, selection);
      return sendArray(request, reply, data, selection);
    },
  );

  app.get<{ Params: OnNode; Querystring: Static<typeof BlockQuery> }>(
    "/api/v1/array/block/*",
    dataRoute("Read a chunk of an array or a slice of it", BlockQuery),
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
      return sendArray(request, reply, data, within(block, inner));
    },
  );
}

function readSlice(text = ""): readonly Slice[] {
  const slices = parseSlices(text);
  if (slices !== undefined) return slices;
  throw unreadable("slice", {
    type: "value_error",
    msg: "A part of the slice is empty, or there are too many",
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
  request: FastifyRequest,
  reply: FastifyReply,
  data: ArrayData,
  selection: Selection,
): Promise<FastifyReply> {
  const mediaType = wantedType(request, "array");
  const shape = shapeOf(selection);
  const count = countOf(selection);
  const tooLarge =
    mediaType.name === BYTES_TYPE ? count * data.dataType.itemsize > MAX_BYTES : count > MAX_TEXT_ELEMENTS;
  if (tooLarge) {
    throw new Failure("bad_request", {
      detail: `The response would be too large for ${mediaType.name}. Use slicing ('?slice=...') to request smaller chunks.`,
    });
  }
  if (mediaType.name !== BYTES_TYPE && mediaType.name !== JSON_TYPE && shape.length > 2) {
    throw unfit(mediaType, `The shape of this data ${pythonTuple(shape)}`);
  }
  const bytes = await data.read(selection);
  if (mediaType.name === BYTES_TYPE) return sendData(request, reply, mediaType, bytes);
  const isJson = mediaType.name === JSON_TYPE;
  const texts = elementTexts(bytes, data.dataType, isJson ? "json" : "csv");
  if (texts === undefined) throw unfit(mediaType, "The data type of this array");
  return sendData(request, reply, mediaType, isJson ? arrayJson(texts, shape) : arrayCsv(texts, shape));
}
