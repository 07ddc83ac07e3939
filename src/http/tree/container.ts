/**
 * `GET /api/v1/container/full/…`: a dataset as rows, or an outline of any other container.
 */
import { Type } from "typebox";
import { Failure } from "../../errors.ts";
import type { ContainerNode, Entry, Frame, TreeNode } from "../../trees/model/contract.ts";
import { datasetFrame, isDataset } from "../../trees/model/dataset.ts";
import type { TypedApp } from "../typed-app.ts";
import { sendBody } from "./body.ts";
import { DataQuery, dataRoute, sendData, unfit, wantedType } from "./data.ts";
import { findFamily, type TreeDeps } from "./nodes.ts";
import { Repeated } from "./query.ts";
import { chosen, frameFormat } from "./table.ts";
import { childrenOf, walking } from "./walk.ts";

const ContainerQuery = Type.Object({ field: Repeated({ type: "string" }), ...DataQuery });

/** Registers the route. */
export function containerRoute(app: TypedApp, deps: TreeDeps): void {
  app.get(
    "/api/v1/container/full/*",
    dataRoute(
      "readContainer",
      "Read a dataset, or list the whole content of a container",
      ["container", "xarray_dataset"],
      ContainerQuery,
    ),
    async (request, reply) => {
      const node = await findFamily(deps, request, "container", "read:data");
      const mediaType = wantedType(request, isDataset(node) ? "xarray_dataset" : "container");
      const { field } = request.query;
      if (isDataset(node)) {
        const entries = await node.entries({ offset: 0, limit: await node.count() });
        const keys = entries.map(([key]) => key);
        const names = chosen(field, keys);
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
      const left = { nodes: MAX_NODES, bytes: MAX_OUTLINE_BYTES };
      const contents = await walking(deps, request, Number.POSITIVE_INFINITY, () =>
        outline(field === undefined ? childrenOf(node) : named(node, field), left),
      );
      const body = { contents, metadata: node.metadata };
      return sendData(request, reply, mediaType, JSON.stringify(body));
    },
  );
}

async function* named(node: ContainerNode, fields: readonly string[]): AsyncGenerator<Entry> {
  for (const key of new Set(fields)) {
    const child = await node.child(key);
    if (child === undefined) throw new Failure("bad_request", { detail: "No such field." });
    yield [key, child];
  }
}

/** Datasets are read on this thread, so they must be small. */
const MAX_DATASET_BYTES = 1_000_000;

async function* once(frame: Frame): AsyncGenerator<Frame> {
  yield frame;
}

const MAX_NODES = 10_000;
/** Limit for all metadata in an outline, in bytes. */
const MAX_OUTLINE_BYTES = 4 * 1024 * 1024;

async function outline(
  entries: AsyncIterable<Entry>,
  left: { nodes: number; bytes: number },
): Promise<Readonly<Record<string, unknown>>> {
  const contents: [string, unknown][] = [];
  for await (const [key, node] of entries) {
    left.nodes -= 1;
    left.bytes -= node.metadataBytes ?? 0;
    if (left.nodes < 0) {
      throw new Failure("bad_request", {
        detail: `There are more than ${MAX_NODES} nodes below this one. Ask for fewer fields.`,
      });
    }
    if (left.bytes < 0) {
      throw new Failure("bad_request", {
        detail: "The metadata below this node are too large. Ask for fewer fields.",
      });
    }
    contents.push([key, { contents: await outline(entriesOf(node), left), metadata: node.metadata }]);
  }
  return Object.fromEntries(contents);
}

async function* entriesOf(node: TreeNode): AsyncGenerator<Entry> {
  if (node.family === "container") {
    yield* childrenOf(node);
    return;
  }
  if (node.family === "array") return;
  const data = await node.open();
  for (const name of data?.columns ?? []) {
    const column = data?.column(name);
    if (column !== undefined) yield [name, column];
  }
}
