/** The thread that reads data: the same bytes as without it, no more of them than are taken, and a new one after its end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { Failure } from "../../../src/errors.ts";
import { type FromReader, WINDOW_BYTES } from "../../../src/trees/data-thread/messages.ts";
import { DataThread } from "../../../src/trees/data-thread/thread.ts";
import { type Chunks, inlineReader, type Job } from "../../../src/trees/encoding/jobs.ts";
import { filesTree } from "../../../src/trees/folder/tree.ts";
import { loadTrees } from "../../../src/trees/load.ts";
import type { ArrayData, ContainerNode, TableData, TreeNode } from "../../../src/trees/model/contract.ts";
import { selectAll } from "../../../src/trees/model/selection.ts";
import { ManualClock } from "../../support/clock.ts";
import { Folder, npy } from "../files/support.ts";

const CLOCK = new ManualClock("2100-01-01T00:00:00Z");

async function whole(chunks: Chunks): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let chunk = await chunks.next(); chunk !== undefined; chunk = await chunks.next()) parts.push(chunk);
  return Buffer.concat(parts);
}

function start(t: TestContext) {
  const workers: Worker[] = [];
  const note = (worker: Worker) => void workers.push(worker);
  process.on("worker", note);
  const thread = new DataThread(() => undefined);
  t.after(async () => {
    process.off("worker", note);
    await thread.close();
  });
  return { thread, workers };
}

async function inFolder(
  t: TestContext,
  thread: DataThread,
  content: Readonly<Record<string, string | Buffer>>,
) {
  const folder = new Folder(t.after.bind(t), content);
  const tree = await filesTree(
    { directory: folder.path },
    { directory: folder.path, clock: CLOCK, warn: () => undefined, scan: (wish) => thread.scan(wish) },
  );
  return { folder, root: tree.root };
}

async function at(root: ContainerNode, ...path: string[]): Promise<TreeNode> {
  let node: TreeNode = root;
  for (const key of path) {
    const below: TreeNode | undefined =
      node.family === "container"
        ? await node.child(key)
        : node.family === "table"
          ? (await node.open())?.column(key)
          : undefined;
    node = below ?? assert.fail(path.join("/"));
  }
  return node;
}

async function arrayAt(root: ContainerNode, ...path: string[]): Promise<ArrayData> {
  const node = await at(root, ...path);
  return (node.family === "array" ? await node.open() : undefined) ?? assert.fail();
}

async function tableAt(root: ContainerNode, ...path: string[]): Promise<TableData> {
  const node = await at(root, ...path);
  return (node.family === "table" ? await node.open() : undefined) ?? assert.fail();
}

const ofArray = (data: ArrayData, format: "bytes" | "json" | "csv" = "bytes"): Job => ({
  kind: "array",
  data,
  selection: selectAll(data.shape),
  format,
});

/** More than is scanned on the thread that asks. */
const CSV = `n,text\n${Array.from({ length: 20_000 }, (_, row) => `${row},"text ${row}, é"\n`).join("")}`;
const NUMBERS = Array.from({ length: 6000 }, (_, index) => index);

test("all kinds of data are the same from there, in all formats", { timeout: 60_000 }, async (t) => {
  const { thread, workers } = start(t);
  const { root } = await inFolder(t, thread, {
    "c.npy": npy(NUMBERS, [60, 100]),
    "f.npy": npy(NUMBERS, [60, 100], true),
    "t.csv": CSV,
  });
  assert.equal(workers.length, 0, "it is started by the first job");
  const generated = await loadTrees(
    [{ path: "/", tree: "tiled.examples.generated:tree", args: {}, accessTags: null }],
    { directory: ".", clock: CLOCK, warn: () => undefined },
  );
  const arrays = [
    await arrayAt(root, "c"),
    await arrayAt(root, "f"),
    await arrayAt(root, "t", "n"),
    await arrayAt(root, "t", "text"),
    await arrayAt(generated.root, "nested", "images", "small_image"),
    await arrayAt(generated.root, "tables", "short_table", "C"),
  ];
  for (const [index, data] of arrays.entries()) {
    for (const format of ["bytes", "json", "csv"] as const) {
      const here = await whole(inlineReader.read(ofArray(data, format)));
      assert.ok(here.length > 0);
      assert.deepEqual(await whole(thread.read(ofArray(data, format))), here, `${index} ${format}`);
    }
  }
  for (const data of [await tableAt(root, "t"), await tableAt(generated.root, "tables", "short_table")]) {
    for (const kind of ["arrow", "json", "csv"] as const) {
      const format = kind === "csv" ? { kind, header: true } : { kind };
      for (const [partition, columns] of [
        [null, null],
        [0, [data.columns[1] ?? ""]],
      ] as const) {
        const job: Job = { kind: "table", data, partition, columns, format };
        assert.deepEqual(await whole(thread.read(job)), await whole(inlineReader.read(job)), kind);
      }
    }
  }
  assert.equal(workers.length, 1);
});

test("no more is sent than is taken, and nothing after a cancellation", { timeout: 60_000 }, async (t) => {
  const { thread } = start(t);
  const { root } = await inFolder(t, thread, {
    "big.npy": npy(new Array(2_000_000).fill(7)),
    "s.npy": npy(NUMBERS),
  });
  const big = await arrayAt(root, "big");
  const small = await arrayAt(root, "s");
  const sent: Record<number, number> = {};
  const count = (message: FromReader) => {
    if (message.kind === "chunk") sent[message.id] = (sent[message.id] ?? 0) + message.bytes.length;
  };
  process.once("worker", (worker: Worker) => worker.on("message", count));
  const chunks = thread.read(ofArray(big));
  const first = await chunks.next();
  assert.ok(first !== undefined);
  /** Whatever the other thread could do meanwhile, it has done by then. */
  const meanwhile = async () => {
    for (let times = 0; times < 20; times += 1) await whole(thread.read(ofArray(small)));
  };
  await meanwhile();
  const before = sent[1] ?? 0;
  assert.ok(before > 0 && before <= WINDOW_BYTES + 2 * 65_536, String(before));
  chunks.cancel();
  assert.equal(await chunks.next(), undefined);
  await meanwhile();
  assert.equal(sent[1], before);
});

test("jobs in progress when it ended can be repeated", { timeout: 60_000 }, async (t) => {
  const { thread, workers } = start(t);
  const { root } = await inFolder(t, thread, { "big.npy": npy(new Array(2_000_000).fill(7)) });
  const big = await arrayAt(root, "big");
  const chunks = thread.read(ofArray(big));
  await chunks.next();
  const [worker = assert.fail()] = workers;
  const ended = once(worker, "exit");
  await worker.terminate();
  await ended;
  await assert.rejects(whole(chunks), (error) => error instanceof Failure && error.status === 503);
  assert.equal((await whole(thread.read(ofArray(big)))).length, 8_000_000);
  assert.equal(workers.length, 2);
});

test("failures come across as they are", { timeout: 60_000 }, async (t) => {
  const { thread } = start(t);
  const { root, folder } = await inFolder(t, thread, { "t.csv": CSV, "c.npy": npy(NUMBERS) });
  const table = await tableAt(root, "t");
  const array = await arrayAt(root, "c");
  await writeFile(folder.at("t.csv"), `${CSV}1,2,3\n`);
  await writeFile(folder.at("c.npy"), npy([1]));
  const changed = (error: unknown) => error instanceof Failure && error.code === "changed";
  const format = { kind: "csv", header: true } as const;
  const job: Job = { kind: "table", data: table, partition: 0, columns: null, format };
  await assert.rejects(whole(thread.read(job)), changed);
  await assert.rejects(whole(thread.read(ofArray(array))), changed);
  const node = await at(root, "t");
  assert.equal(node.family === "table" && (await node.open()), undefined, "no table any more");
  const mark = "none";
  await assert.rejects(thread.scan({ root: folder.path, path: ["t.csv"], mark }), changed);
});
