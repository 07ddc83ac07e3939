/**
 * What is served behind the authentication, behind one small interface: a tree of nodes that can be looked up, listed
 * and read. `http/tree*.ts` speak HTTP, `search/formats.ts` knows the media types; a tree knows nothing of either.
 */
import type { Column, Values } from "./columns.ts";
import type { ElementType } from "./data-type.ts";
import type { Selection } from "./selection.ts";

export interface Spec {
  readonly name: string;
  readonly version: string | null;
}

interface NodeBase {
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of its metadata as JSON, where they may be many. */
  readonly metadataBytes?: number;
  readonly specs: readonly Spec[];
  /** Null: the node has no tags of its own and bears those of its container. */
  readonly accessTags: readonly string[] | null;
}

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

export type Entry = readonly [key: string, node: TreeNode];

/** Children in a stable order. */
export interface Listing {
  count(): Promise<number>;
  entries(page: Page): Promise<readonly Entry[]>;
}

export interface ContainerNode extends NodeBase, Listing {
  readonly family: "container";
  /** Whether its children are told inside its own structure. */
  readonly inlined: boolean;
  child(key: string): Promise<TreeNode | undefined>;
  /**
   * The children that bear at least one of these tags, or have none of their own. What it costs depends on how many
   * these are, not on how many there are of the others.
   */
  bearing(tags: ReadonlySet<string>): Promise<Listing>;
}

/** An array as it was when it was opened. */
export interface ArrayData {
  readonly dataType: ElementType;
  readonly shape: readonly number[];
  /** Along each dimension the lengths of its chunks. */
  readonly chunks: readonly (readonly number[])[];
  readonly dims: readonly string[] | null;
  /** What the selection picks, in C order, `itemsize` bytes an element. All of it at once: for little. */
  read(selection: Selection): Promise<Uint8Array>;
  /** The same in pieces, of whole elements; absent: parts of the selection are read one by one. */
  pieces?(selection: Selection): AsyncGenerator<Uint8Array>;
  /** Texts that are held without what would fill them up, and how many bytes have to be read for them. */
  readonly texts?: {
    read(selection: Selection): AsyncGenerator<readonly string[]>;
    cost(selection: Selection): number;
  };
  /** Stored in another order than C, so that each part is read from all over the place. */
  readonly scattered?: boolean;
  /** Where it comes from, for another thread to open it; null: this thread only. */
  readonly source: DataSource | null;
}

/** Plain values, which another thread can be sent. */
export type DataSource =
  | { readonly kind: "tree"; readonly tree: string; readonly path: readonly string[] }
  | {
      readonly kind: "npy" | "csv";
      /** The folder that is served. */
      readonly root: string;
      readonly place: readonly string[];
      readonly mark: string;
      /** Of a table, as an array. */
      readonly column?: string;
    };

export interface ArrayNode extends NodeBase {
  readonly family: "array";
  /** Undefined: what looked like an array cannot be read, so there is no such node. */
  open(): Promise<ArrayData | undefined>;
}

/** Rows of a table, as pandas sees them. */
export interface Frame {
  readonly length: number;
  readonly columns: readonly Column[];
  /** The rows' labels. `name: null`: they have no name of their own; null: they are counted from 0. */
  readonly index: { readonly name: string | null; readonly values: Values } | null;
}

/** In bytes, more rather than less. */
export interface TableCost {
  /** To be read, or written as text. */
  readonly text: number;
  /** Held as columns. */
  readonly columns: number;
}

/** A table as it was when it was opened. */
export interface TableData {
  readonly columns: readonly string[];
  readonly partitions: number;
  /** Arrow's schema in IPC form. */
  arrowSchema(): Promise<Uint8Array>;
  /**
   * One partition or (null) all rows, some at a time, at least one frame though it may be empty; `columns`: those only, in that
   * order, all of them known.
   */
  frames(partition: number | null, columns: readonly string[] | null): AsyncGenerator<Frame>;
  /** What these rows cost; fails where they are too many for one answer. */
  cost(partition: number | null, columns: readonly string[] | null): TableCost;
  readonly source: DataSource | null;
  /** A column as an array. */
  column(name: string): ArrayNode | undefined;
}

export interface TableNode extends NodeBase {
  readonly family: "table";
  /** Undefined: what looked like a table cannot be read, so there is no such node. */
  open(): Promise<TableData | undefined>;
}

export type TreeNode = ContainerNode | ArrayNode | TableNode;
export type Family = TreeNode["family"];

export interface Tree {
  readonly root: ContainerNode;
  /** Those that the operator has given to its nodes, as far as that can be told. */
  tags?(): readonly string[];
  close?(): Promise<void>;
}
