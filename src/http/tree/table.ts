/**
 * `GET /api/v1/table/partition/…` and `/table/full/…`: the rows of a table. `container.ts` serves datasets as rows.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { Failure } from "../../errors.ts";
import type { FrameFormat } from "../../trees/encoding/body.ts";
import type { TableData } from "../../trees/model/contract.ts";
import { ARROW_TYPE, JSON_TYPE, type MediaType } from "../../trees/search/formats.ts";
import type { TypedApp } from "../typed-app.ts";
import { sendBody } from "./body.ts";
import { DataQuery, dataRoute, wantedType } from "./data.ts";
import { findData, type TreeDeps } from "./nodes.ts";
import { Repeated } from "./query.ts";

const TableQuery = Type.Object({ column: Repeated({ type: "string" }), ...DataQuery });
const PartitionQuery = Type.Object({
  partition: Type.Integer({ description: "Negative: from the end" }),
  /** The older name of `column`. */
  field: Repeated({ type: "string" }),
  ...TableQuery.properties,
});

/** Registers the routes of tables. */
export function tableRoutes(app: TypedApp, deps: TreeDeps): void {
  app.get(
    "/api/v1/table/partition/*",
    dataRoute("readTablePartition", "Read one partition of a table", ["table"], PartitionQuery),
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
      return sendTable(deps, request, reply, data, index, chosen(column ?? field, data.columns));
    },
  );

  app.get(
    "/api/v1/table/full/*",
    dataRoute("readTable", "Read all rows of a table", ["table"], TableQuery),
    async (request, reply) => {
      const data = await findData(deps, request, "table");
      return sendTable(deps, request, reply, data, null, chosen(request.query.column, data.columns));
    },
  );
}

/**
 * The requested fields without duplicates; null: all.
 *
 * @throws {Failure} `bad_request` for an unknown field.
 */
export function chosen(
  wanted: readonly string[] | undefined,
  known: readonly string[],
): readonly string[] | null {
  if (wanted === undefined) return null;
  if (wanted.every((name) => known.includes(name))) return [...new Set(wanted)];
  throw new Failure("bad_request", { detail: `No such field. The fields are: ${known.join(", ")}.` });
}

/** Limit for columns in memory; Arrow and JSON need whole columns. */
const MAX_COLUMNS_BYTES = 160 * 1024 * 1024;

async function sendTable(
  deps: TreeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  data: TableData,
  partition: number | null,
  columns: readonly string[] | null,
): Promise<FastifyReply> {
  const mediaType = wantedType(request, "table");
  const format = frameFormat(mediaType);
  const cost = data.cost(partition, columns);
  const held = format.kind === "csv" ? 0 : format.kind === "json" ? 2 * cost.text : cost.columns;
  if (held > MAX_COLUMNS_BYTES) {
    throw new Failure("bad_request", {
      detail: `The response would be too large for ${mediaType.name}. Ask for fewer columns ('?column=...'), for one partition, or for text/csv.`,
    });
  }
  const job = { kind: "table", data, partition, columns, format } as const;
  return sendBody(deps, request, reply, mediaType, job, { bytes: cost.text, held, length: null });
}

/** The encoding for a negotiated media type. */
export function frameFormat({ name, header }: MediaType): FrameFormat {
  if (name === ARROW_TYPE) return { kind: "arrow" };
  return name === JSON_TYPE ? { kind: "json" } : { kind: "csv", header };
}
