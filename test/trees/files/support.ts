/** Folders on disk and trees of them, for as long as a test runs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { filesTree } from "../../../src/trees/folder/tree.ts";
import type { ContainerNode, Tree, TreeNode } from "../../../src/trees/model/contract.ts";
import type { FilesArgs } from "../../../src/vocabulary/trees.ts";
import { ManualClock } from "../../support/clock.ts";

type Cleanup = (last: () => void) => void;

export type Content = Readonly<Record<string, string | Uint8Array>>;

export class Folder {
  readonly path: string;

  constructor(cleanup: Cleanup, content: Content = {}) {
    this.path = mkdtempSync(join(tmpdir(), "tiled-files-"));
    cleanup(() => rmSync(this.path, { recursive: true, force: true }));
    this.write(content);
  }

  write(content: Content): void {
    for (const [name, bytes] of Object.entries(content)) {
      mkdirSync(dirname(this.at(name)), { recursive: true });
      writeFileSync(this.at(name), bytes);
    }
  }

  at(name: string): string {
    return join(this.path, name);
  }
}

export interface Opened {
  readonly tree: Tree;
  readonly root: ContainerNode;
  readonly warnings: readonly string[];
  readonly clock: ManualClock;
}

/** The clock is far ahead, so that every folder counts as quiet. */
export async function open(folder: Folder, args: Partial<FilesArgs> = {}): Promise<Opened> {
  const clock = new ManualClock("2100-01-01T00:00:00Z");
  const warnings: string[] = [];
  const tree = await filesTree(
    { directory: folder.path, ...args },
    { directory: folder.path, clock, warn: (message) => void warnings.push(message) },
  );
  return { tree, root: tree.root, warnings, clock };
}

export async function keys(node: TreeNode | undefined): Promise<readonly string[]> {
  if (node?.family !== "container") throw new Error("not a container");
  return (await node.entries({ offset: 0, limit: 1_000_000 })).map(([key]) => key);
}

/** `fresh` elements of .npy, little-endian whole numbers of four bytes. */
export function npy(
  values: readonly number[],
  shape: readonly number[] = [values.length],
  order = false,
): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '<i4', 'fortran_order': ${order ? "True" : "False"}, 'shape': ${tuple}, }`;
  const padded = `${header.padEnd(117)}\n`;
  const start = Buffer.alloc(10);
  start.write("\x93NUMPY\x01\x00", "latin1");
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded), Buffer.from(Int32Array.from(values).buffer)]);
}
