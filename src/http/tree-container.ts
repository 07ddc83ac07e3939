/**
 * `GET /api/v1/container/full/…`: a dataset as rows, or what any other container contains.
 */
import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import { Failure } from "../errors.ts";
import type { Entry, Frame, TreeNode } from "../trees/contract.ts";
import { datasetFrame, isDataset } from "../trees/dataset.ts";
import { sendBody } from "./tree-body.ts";
import { DataQuery, dataRoute, sendData, unfit, wantedType } from "./tree-data.ts";
import { findFamily, type OnNode, type TreeDeps } from "./tree-nodes.ts";
import { Repeated } from "./tree-query.ts";
import { chosen, frameFormat } from "./tree-table.ts";

const ContainerQuery = Type.Object({ field: Repeated({ type: "string" }), ...DataQuery });

export function containerRoute(app: FastifyInstance, deps: TreeDeps): void {
  app.get<{ Params: OnNode; Querystring: Static<typeof ContainerQuery> }>(
    "/api/v1/container/full/*",
    dataRoute("Read a dataset, or list all that a container contains", ContainerQuery),
    async (request, reply) => {
      const node = await findFamily(deps, request, "container", "read:data");
      const mediaType = wantedType(request, isDataset(node) ? "xarray_dataset" : "container");
      const entries = await node.entries({ offset: 0, limit: await node.count() });
      const names = chosen(
        request.query.field,
        entries.map(([key]) => key),
      );
      if (isDataset(node)) {
        const frame = await datasetFrame(entries, names, MAX_DATASET_BYTES);
        if (frame === undefined) throw unfit(mediaType, "A dataset of several dimensions");
        const data = { source: null, frames: () => once(frame) };
        const job = {
          kind: "table",
          data,
          partition: null,
          columns: null,
          format: frameFormat(mediaType),
        } as const;
        return sendBody(deps, request, reply, mediaType, job, { bytes: 0, held: 0, length: null });
      }
      const budget = { nodes: MAX_NODES };
      const picked = names === null ? entries : entries.filter(([key]) => names.includes(key));
      const body = { contents: await outline(picked, budget), metadata: node.metadata };
      return sendData(request, reply, mediaType, JSON.stringify(body));
    },
  );
}

/** It is put together on this thread, and small wherever there is one. */
const MAX_DATASET_BYTES = 1_000_000;

async function* once(frame: Frame): AsyncGenerator<Frame> {
  yield frame;
}

const MAX_NODES = 10_000;

async function outline(
  entries: readonly Entry[],
  budget: { nodes: number },
): Promise<Readonly<Record<string, unknown>>> {
  const contents: [string, unknown][] = [];
  for (const [key, node] of entries) {
    budget.nodes -= 1;
    if (budget.nodes < 0) {
      throw new Failure("bad_request", {
        detail: `There are more than ${MAX_NODES} nodes below this one: ask for fewer fields.`,
      });
    }
    contents.push([key, { contents: await outline(await entriesOf(node), budget), metadata: node.metadata }]);
  }
  return Object.fromEntries(contents);
}

async function entriesOf(node: TreeNode): Promise<readonly Entry[]> {
  if (node.family === "container") return node.entries({ offset: 0, limit: MAX_NODES + 1 });
  if (node.family === "array") return [];
  const columns: Entry[] = [];
  const data = await node.open();
  for (const name of data?.columns ?? []) {
    const column = data?.column(name);
    if (column !== undefined) columns.push([name, column]);
  }
  return columns;
}
