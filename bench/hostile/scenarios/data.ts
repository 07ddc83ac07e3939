/**
 * Answers much larger than their requests: anonymous readers of a public server, some of which read slowly or never.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nonReaders, readers } from "../clients.ts";
import { type Place, publicToy, type Scenario } from "../scenario.ts";

const TREE = "tiled.examples.generated:tree";

function inMemory(place: Place, tree = TREE): Promise<object> {
  return publicToy(place, { trees: [{ path: "/", tree }] });
}

async function inFolder(place: Place, content: Readonly<Record<string, string>>): Promise<object> {
  const folder = await place.folder();
  for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
  return publicToy(place, { trees: [{ path: "/", tree: "files", args: { directory: folder } }] });
}

/** 20,000 cells, one of them 100 kB long. */
function longCell(): string {
  const rows = Array.from({ length: 20_000 }, (_, row) => (row === 7 ? "x".repeat(100_000) : `cell ${row}`));
  return `text\n${rows.join("\n")}\n`;
}

/** About 62 MB: numbers and short texts. */
function largeTable(): string {
  const line = (row: number) => `${row},${row * 1.5},text ${row},${row % 7},${"y".repeat(30)}\n`;
  return `a,b,c,d,e\n${Array.from({ length: 935_000 }, (_, row) => line(row)).join("")}`;
}

const text = (format: string): Scenario => ({
  name: `data-long-cell-${format}`,
  attack: `one GET of a text column of 20,000 cells, the longest of 100 kB, as ${format}`,
  prepare: async (place) => ({
    config: await inFolder(place, { "t.csv": longCell() }),
    run: (target, count) =>
      readers(target, `/api/v1/array/full/t/text?format=${format}`, { connections: 1, seconds: 100 }, count),
  }),
});

const table = (format: string): Scenario => ({
  name: `data-table-${format}`,
  attack: `twelve GETs of a 62 MB table as ${format}, with 768 MB of heap`,
  node: ["--max-old-space-size=768"],
  prepare: async (place) => ({
    config: await inFolder(place, { "t.csv": largeTable() }),
    run: (target, count) =>
      readers(target, `/api/v1/table/full/t?format=${format}`, { connections: 12, seconds: 100 }, count),
  }),
});

export const scenarios: readonly Scenario[] = [
  text("csv"),
  text("json"),
  text("application/octet-stream"),
  {
    name: "data-pipelined",
    attack: "one connection pipelines 700 GETs of an 8 MB array and never reads",
    prepare: async (place) => ({
      config: await inMemory(place),
      run: (target, count) =>
        nonReaders(
          target,
          "/api/v1/array/full/nested/images/medium_image",
          { connections: 1, requests: 700, seconds: 60 },
          count,
        ),
    }),
  },
  {
    name: "data-unread",
    attack: "30 readers of a 288 MB array that never read",
    prepare: async (place) => ({
      config: await inMemory(place),
      run: (target, count) =>
        nonReaders(
          target,
          "/api/v1/array/full/nested/images/big_image?slice=0:3600",
          { connections: 30, seconds: 90 },
          count,
        ),
    }),
  },
  table("csv"),
  table("arrow"),
  table("json"),
  {
    name: "data-scan",
    attack: "metadata of eight large CSV files that were never looked at (62 MB each)",
    prepare: async (place) => ({
      config: await inFolder(
        place,
        Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`t${n}.csv`, largeTable()])),
      ),
      run: async (target, count) => {
        const ask = (n: number) =>
          readers(target, `/api/v1/metadata/t${n}`, { connections: 1, seconds: 60 }, count);
        await Promise.all(Array.from({ length: 8 }, (_, n) => ask(n)));
      },
    }),
  },
];
