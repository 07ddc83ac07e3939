/**
 * Answers with data: what they may cost, how they are sent, and that nothing is read for callers who are gone. In a process
 * of its own: its memory is measured.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as ask, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { dataBudget } from "../../../src/http/tree/body.ts";
import type { Chunks, Job } from "../../../src/trees/encoding/jobs.ts";
import { constantArray, container } from "../../../src/trees/memory/memory.ts";
import { type TestAppOptions, testApp } from "../../support/app.ts";
import { eventually } from "../../support/eventually.ts";
import { Folder, open } from "../../trees/files/support.ts";

const MB = 1024 * 1024;

async function open_(t: TestContext, options: TestAppOptions = {}) {
  const app = await testApp({
    tree: { root: container([["big", constantArray(1, [4 * MB])]]) },
    providers: false,
    authentication: { allowAnonymousAccess: true },
    ...options,
  });
  t.after(() => app.close());
  return app;
}

/** A reader that gives a chunk whenever it is told to. */
function scripted() {
  const jobs: { readonly job: Job; cancelled: boolean; give(chunk: Uint8Array | undefined): void }[] = [];
  const events = new EventTarget();
  const changed = () => void events.dispatchEvent(new Event("change"));
  const read = (job: Job): Chunks => {
    let wanted: ((chunk: Uint8Array | undefined) => void) | undefined;
    const ready: (Uint8Array | undefined)[] = [];
    const entry = {
      job,
      cancelled: false,
      give: (chunk: Uint8Array | undefined) => {
        if (wanted === undefined) ready.push(chunk);
        else wanted(chunk);
        wanted = undefined;
      },
    };
    jobs.push(entry);
    changed();
    return {
      next: () =>
        new Promise((resolve) => {
          if (ready.length > 0) resolve(ready.shift());
          else wanted = resolve;
        }),
      cancel: () => {
        entry.cancelled = true;
        changed();
      },
    };
  };
  const until = async (done: () => boolean) => {
    while (!done()) await once(events, "change");
  };
  return { reader: { read }, jobs, until };
}

test("a text column with one long cell costs what its file costs", { timeout: 60_000 }, async (t) => {
  const cells = Array.from({ length: 3000 }, (_, row) => (row === 7 ? "x".repeat(100_000) : `cell ${row}`));
  const folder = new Folder(t.after.bind(t), { "t.csv": `text\n${cells.join("\n")}\n` });
  const app = await open_(t, { tree: (await open(folder)).tree });
  const before = process.resourceUsage().maxRSS;
  const csv = await app.call("/api/v1/array/full/t/text?format=csv");
  assert.equal(csv.body, cells.map((cell) => `${cell}\n`).join(""));
  const json = await app.call("/api/v1/array/full/t/text?format=json");
  assert.deepEqual(json.json(), cells);
  const backwards = await app.call("/api/v1/array/full/t/text?format=json&slice=10:5:-2");
  assert.deepEqual(backwards.json(), ["cell 10", "cell 8", "cell 6"]);
  // As an array of texts of one width it would have 1.2 GB.
  const bytes = await app.call("/api/v1/array/full/t/text?format=application/octet-stream");
  assert.equal(bytes.statusCode, 400);
  assert.match(bytes.json<{ detail: string }>().detail, /slice=/);
  assert.equal((await app.call("/api/v1/array/full/t/text?slice=7")).rawPayload.length, 400_000);
  // In kilobytes.
  assert.ok(process.resourceUsage().maxRSS - before < 500_000);
});

test("small answers are sent as a whole, with an ETag; larger ones are streamed, with their length", async (t) => {
  const app = await open_(t);
  const url = "/api/v1/array/full/big";
  const whole = await app.call(`${url}?slice=0:100000`);
  assert.equal(whole.rawPayload.length, 800_000);
  assert.match(String(whole.headers["etag"]), /^"/);
  const large = await app.call(url);
  assert.equal(large.headers["content-length"], String(32 * MB));
  assert.equal(large.rawPayload.length, 32 * MB);
  assert.equal(large.headers["content-type"], "application/octet-stream");
  const head = await app.call({ method: "HEAD", url });
  assert.equal(head.headers["content-length"], String(32 * MB));
  assert.equal(head.rawPayload.length, 0);
  const saved = await app.call(`${url}?filename=a.bin`);
  assert.match(String(saved.headers["content-disposition"]), /a\.bin/);
});

test("beyond the process's budget an answer waits, then is refused for now; others' requests are not", async (t) => {
  const { reader, jobs, until } = scripted();
  const app = await open_(t, { reader, budget: dataBudget(MB, 1) });
  const first = app.call("/api/v1/array/full/big");
  await until(() => jobs.length === 1);
  const second = await app.call("/api/v1/array/full/big");
  assert.equal(second.statusCode, 503);
  assert.equal(second.headers["retry-after"], "2");
  // What is small is no matter.
  assert.equal((await app.call("/api/v1/array/full/big?slice=0:10")).statusCode, 200);
  jobs[0]?.give(Buffer.alloc(8));
  jobs[0]?.give(undefined);
  assert.equal((await first).statusCode, 200);
  const third = app.call("/api/v1/array/full/big");
  await until(() => jobs.length === 2);
  jobs[1]?.give(undefined);
  await third;
});

test("all addresses of one IPv6 network have one part of the budget", { timeout: 20_000 }, async (t) => {
  const { reader, jobs, until } = scripted();
  const app = await open_(t, { reader, budget: dataBudget(4 * MB, 1) });
  const from = (remoteAddress: string) => app.call({ url: "/api/v1/array/full/big", remoteAddress });
  const first = from("2001:db8::1");
  await until(() => jobs.length === 1);
  assert.equal((await from("2001:db8::ffff:1")).statusCode, 503);
  const other = from("2001:db8:0:1::1");
  await until(() => jobs.length === 2);
  for (const job of jobs) job.give(undefined);
  assert.deepEqual([(await first).statusCode, (await other).statusCode], [200, 200]);
});

test("after a disconnect reading stops, and the budget is released", async (t) => {
  const { reader, jobs, until } = scripted();
  const budget = dataBudget();
  const app = await open_(t, { reader, budget });
  await app.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.app.server.address() as AddressInfo;
  const path = "/api/v1/array/full/big";
  const early = ask({ port, path, host: "127.0.0.1" }).on("error", () => undefined);
  early.end();
  await until(() => jobs.length === 1);
  early.destroy();
  await until(() => jobs[0]?.cancelled === true);

  const late = ask({ port, path, host: "127.0.0.1" }).on("error", () => undefined);
  late.end();
  await until(() => jobs.length === 2);
  jobs[1]?.give(Buffer.alloc(100));
  const [response] = (await once(late, "response")) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  assert.ok(budget.used > 0);
  late.destroy();
  await until(() => jobs[1]?.cancelled === true);
  assert.equal(budget.used, 0);
});

test("a whole answer counts until its caller has taken it", { timeout: 30_000 }, async (t) => {
  const budget = dataBudget();
  const app = await open_(t, { budget });
  await app.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.app.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  t.after(() => socket.destroy());
  // More than the system takes for a peer that does not read; each answer fits into one piece.
  const get = "GET /api/v1/array/full/big?slice=0:120000 HTTP/1.1\r\nHost: a\r\n\r\n";
  socket.pause().write(get.repeat(16));
  assert.ok(await eventually(5, async () => budget.used >= MB));
  for (let times = 0; times < 200; times += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(budget.used >= MB);
  socket.destroy();
  assert.ok(await eventually(5, async () => budget.used === 0));
});

test("an answer that cannot be finished does not look like one that is", async (t) => {
  const tree = {
    root: container([
      [
        "bad",
        {
          ...constantArray(1, [MB]),
          open: async () => {
            const data = await constantArray(1, [MB]).open();
            if (data === undefined) return undefined;
            let reads = 0;
            return {
              ...data,
              read: async (selection) => {
                reads += 1;
                if (reads > 3) throw new Error("the disk is gone");
                return data.read(selection);
              },
            };
          },
        },
      ],
    ]),
  };
  const app = await open_(t, { tree });
  await app.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.app.server.address() as AddressInfo;
  const request = ask({ port, path: "/api/v1/array/full/bad", host: "127.0.0.1" }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await assert.rejects(once(response, "end"), /aborted/);
});
