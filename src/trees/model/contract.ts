/**
 * The interface of the data behind the authentication: a tree of nodes to look up, list and read. `http/tree` speaks HTTP and
 * `search/formats.ts` knows media types; a tree knows neither.
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
  /** Size of the metadata as JSON, in bytes; absent if small. */
  readonly metadataBytes?: number;
  readonly specs: readonly Spec[];
  /** Null: the node has no tags of its own and inherits those of its container. */
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
  /** Whether its structure includes its children. */
  readonly inlined: boolean;
  child(key: string): Promise<TreeNode | undefined>;
  /**
   * The children that have at least one of these tags, or no tags of their own. The cost depends on the number of these
   * children, not on the number of others.
   */
  bearing(tags: ReadonlySet<string>): Promise<Listing>;
}

/** An opened array. */
export interface ArrayData {
  readonly dataType: ElementType;
  readonly shape: readonly number[];
  /** The lengths of the chunks along each dimension. */
  readonly chunks: readonly (readonly number[])[];
  readonly dims: readonly string[] | null;
  /** Reads a selection at once, in C order, `itemsize` bytes an element. Only for small selections. */
  read(selection: Selection): Promise<Uint8Array>;
  /** The same in pieces of whole elements; absent: read parts of the selection one by one. */
  pieces?(selection: Selection): AsyncGenerator<Uint8Array>;
  /** For texts stored without padding: the texts themselves, and the number of bytes to read for them. */
  readonly texts?: {
    read(selection: Selection): AsyncGenerator<readonly string[]>;
    cost(selection: Selection): number;
  };
  /** Not stored in C order, so each part is scattered over the file. */
  readonly scattered?: boolean;
  /** Lets another thread open the same data; null: only this thread can read it. */
  readonly source: DataSource | null;
}

/** Plain values that can be sent to another thread. */
export type DataSource =
  | { readonly kind: "tree"; readonly tree: string; readonly path: readonly string[] }
  | {
      readonly kind: "npy" | "csv";
      /** The root folder of the tree. */
      readonly root: string;
      /** Names from the root down to the file. */
      readonly path: readonly string[];
      readonly mark: string;
      /** The column of the table to open as an array. */
      readonly column?: string;
    };

export interface ArrayNode extends NodeBase {
  readonly family: "array";
  /** Undefined: the file turned out not to be readable, so there is no such node. */
  open(): Promise<ArrayData | undefined>;
}

/** Rows of a table, as pandas sees them. */
export interface Frame {
  readonly length: number;
  readonly columns: readonly Column[];
  /** Row labels. `name: null`: labels without a name; null: rows are counted from 0. */
  readonly index: { readonly name: string | null; readonly values: Values } | null;
}

/** Upper bounds in bytes. */
export interface TableCost {
  /** Bytes to read, or to write as text. */
  readonly text: number;
  /** Bytes in memory as columns. */
  readonly columns: number;
}

/** An opened table. */
export interface TableData {
  readonly columns: readonly string[];
  readonly partitions: number;
  /** The Arrow schema in IPC form. */
  arrowSchema(): Promise<Uint8Array>;
  /**
   * Reads one partition, or all rows if null, in batches: at least one frame, which may be empty.
   *
   * @param columns Only these columns, in this order, all of them known; null: all.
   */
  frames(partition: number | null, columns: readonly string[] | null): AsyncGenerator<Frame>;
  /**
   * The cost of reading these rows.
   *
   * @throws {Failure} `bad_request` if they are too many for one answer.
   */
  cost(partition: number | null, columns: readonly string[] | null): TableCost;
  readonly source: DataSource | null;
  /** A column as an array. */
  column(name: string): ArrayNode | undefined;
}

export interface TableNode extends NodeBase {
  readonly family: "table";
  /** Undefined: the file turned out not to be readable, so there is no such node. */
  open(): Promise<TableData | undefined>;
}

export type TreeNode = ContainerNode | ArrayNode | TableNode;
export type Family = TreeNode["family"];

/** A tree to serve; `load.ts` makes it from the configuration. */
export interface Tree {
  readonly root: ContainerNode;
  /** The tags that the operator assigned to its nodes, as far as known. */
  tags?(): readonly string[];
  close?(): Promise<void>;
}
