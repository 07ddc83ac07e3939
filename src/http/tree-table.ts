/**
 * `GET /api/v1/table/partition/…` and `/table/full/…`: the rows of a table. Datasets, which are sent as rows too, are
 * `tree-container.ts`'s.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { Failure } from "../errors.ts";
import { frameToArrow } from "../trees/arrow.ts";
import type { Frame } from "../trees/contract.ts";
import { ARROW_TYPE, JSON_TYPE, type MediaType } from "../trees/formats.ts";
import { frameCsv, frameJson } from "../trees/text.ts";
import { DataQuery, dataRoute, sendData, wantedType } from "./tree-data.ts";
import { findData, type OnNode, type TreeDeps } from "./tree-nodes.ts";
import { Repeated } from "./tree-query.ts";

const TableQuery = Type.Object({ column: Repeated({ type: "string" }), ...DataQuery });
const PartitionQuery = Type.Object({
  partition: Type.Integer({ description: "Negative: from the end" }),
  /** The older name of `column`. */
  field: Repeated({ type: "string" }),
  ...TableQuery.properties,
});

export function tableRoutes(app: FastifyInstance, deps: TreeDeps): void {
  app.get<{ Params: OnNode; Querystring: Static<typeof PartitionQuery> }>(
    "/api/v1/table/partition/*",
    dataRoute("Read one partition of a table", PartitionQuery),
    async (request, reply) => {
      const { partition, column, field } = request.query;
      const data = await findData(deps, request, "table");
      if (column !== undefined && field !== undefined) {
        throw new Failure("bad_request", {
          detail:
            "Cannot accept both 'column' and 'field' query parameters in the same /table/partition request. Include these query values using only the 'column' parameter.",
        });
      }
      const index = partition < 0 ? partition + data.partitions : partition;
      if (index < 0 || index >= data.partitions) {
        throw new Failure("bad_request", { detail: "Partition out of range" });
      }
      const mediaType = wantedType(request, "table");
      const frame = await data.read(index, chosen(column ?? field, data.columns));
      return sendFrame(request, reply, mediaType, frame);
    },
  );

  app.get<{ Params: OnNode; Querystring: Static<typeof TableQuery> }>(
    "/api/v1/table/full/*",
    dataRoute("Read all rows of a table", TableQuery),
    async (request, reply) => {
      const data = await findData(deps, request, "table");
      const mediaType = wantedType(request, "table");
      return sendFrame(
        request,
        reply,
        mediaType,
        await data.read(null, chosen(request.query.column, data.columns)),
      );
    },
  );
}

/** The fields that a request names, each once; null: all. */
export function chosen(
  wanted: readonly string[] | undefined,
  known: readonly string[],
): readonly string[] | null {
  if (wanted === undefined) return null;
  if (wanted.every((name) => known.includes(name))) return [...new Set(wanted)];
  throw new Failure("bad_request", { detail: `No such field. The fields are: ${known.join(", ")}.` });
}

export async function sendFrame(
  request: FastifyRequest,
  reply: FastifyReply,
  mediaType: MediaType,
  frame: Frame,
): Promise<FastifyReply> {
  return sendData(request, reply, mediaType, await encode(mediaType, frame));
}

function encode(mediaType: MediaType, frame: Frame): Promise<Uint8Array> | string {
  switch (mediaType.name) {
    case ARROW_TYPE:
      return frameToArrow(frame);
    case JSON_TYPE:
      return frameJson(frame);
    default:
      return frameCsv(frame, mediaType.header);
  }
}
