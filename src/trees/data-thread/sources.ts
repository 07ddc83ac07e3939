/**
 * Opens data in the data thread from its `DataSource`: files by the version that was seen, example trees by their name.
 */
import { Failure } from "../../errors.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Job, PlainJob } from "../encoding/jobs.ts";
import { csvSchema, csvTable } from "../files/csv.ts";
import { type CsvScan, scanCsv } from "../files/csv-scan.ts";
import { Inside } from "../files/inside.ts";
import { openNpy } from "../files/npy.ts";
import { reading } from "../files/reading.ts";
import { Recent } from "../files/recent.ts";
import { stepsFrom } from "../files/steps.ts";
import { isNamedTree, namedTree } from "../memory/named.ts";
import type { ArrayData, DataSource, TableData, Tree, TreeNode } from "../model/contract.ts";
import type { ScanWish } from "./messages.ts";

/** Columns and partitions of all cached scans. */
const MOST_SCANNED = 200_000;

interface Known {
  readonly mark: string;
  readonly scan: Promise<CsvScan>;
}

/** Opened folders, trees and scans of the data thread. */
export class Sources {
  readonly #folders = new Map<string, Promise<Inside>>();
  readonly #trees = new Map<string, Promise<Tree>>();
  readonly #scans = new Recent<Known>(MOST_SCANNED);

  async job(wish: PlainJob["wish"], source: DataSource): Promise<Job> {
    const data = await this.#open(source);
    if (wish.kind === "array" && "shape" in data) return { ...wish, data };
    if (wish.kind === "table" && "frames" in data) return { ...wish, data };
    throw new Failure("changed");
  }

  /** One scan for each version of the file. */
  async scan({ root, path, mark }: ScanWish): Promise<CsvScan> {
    const inside = await this.#inside(root);
    const key = [root, ...path].join("\0");
    const known = this.#scans.get(key);
    if (known?.mark === mark) return known.scan;
    const scan = reading({ inside, path, mark }, async (file) => {
      const found = await scanCsv(file);
      // The schema of many columns takes long to write, too long for the main thread.
      return { ...found, schema: await csvSchema(found.columns) };
    });
    const entry = { mark, scan };
    this.#scans.set(key, entry);
    scan.then(
      ({ columns, partitions }) => this.#scans.set(key, entry, columns.length + partitions.length),
      () => this.#scans.delete(key),
    );
    return scan;
  }

  async #open(source: DataSource): Promise<ArrayData | TableData> {
    if (source.kind === "tree") return this.#inTree(source.tree, source.path);
    const { root, path, mark, column } = source;
    const inside = await this.#inside(root);
    if (source.kind === "csv") {
      const table = csvTable({ inside, path, mark }, await this.scan({ root, path, mark }));
      return column === undefined ? table : opened(table.column(column));
    }
    return reading({ inside, path, mark }, async (file) => {
      const data = await openNpy(inside, path, file);
      if (typeof data === "string") throw new Failure("changed");
      return data;
    });
  }

  async #inTree(name: string, path: readonly string[]): Promise<ArrayData | TableData> {
    if (!isNamedTree(name)) throw new Failure("changed");
    const loading = this.#trees.get(name) ?? namedTree(name, systemClock);
    this.#trees.set(name, loading);
    let node: TreeNode | undefined = (await loading).root;
    for (const key of path) {
      if (node?.family === "container") node = await node.child(key);
      else if (node?.family === "table") node = (await node.open())?.column(key);
      else node = undefined;
    }
    return opened(node);
  }

  #inside(root: string): Promise<Inside> {
    const known = this.#folders.get(root) ?? stepsFrom(root).then((steps) => new Inside(root, steps));
    this.#folders.set(root, known);
    return known;
  }
}

async function opened(node: TreeNode | undefined): Promise<ArrayData | TableData> {
  const data = node === undefined || node.family === "container" ? undefined : await node.open();
  if (data === undefined) throw new Failure("changed");
  return data;
}
