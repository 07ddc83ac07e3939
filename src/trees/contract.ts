/**
 * What is served behind the authentication, behind one small interface: a tree of nodes that can be looked up, listed
 * and read. `http/tree*.ts` speak HTTP, `formats.ts` knows the media types; a tree knows nothing of either.
 */
import type { Column, Values } from "./columns.ts";
import type { Selection } from "./selection.ts";

export interface Spec {
  readonly name: string;
  readonly version: string | null;
}

interface NodeBase {
  readonly metadata: Readonly<Record<string, unknown>>;
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

/** NumPy's description of an element: `{kind: "f", itemsize: 8, endianness: "little"}`. */
export interface DataType {
  readonly endianness: "little" | "big" | "not_applicable";
  readonly kind: string;
  /** Bytes of one element. */
  readonly itemsize: number;
  readonly dt_units: string | null;
}

/** An element made of several others, in a row. */
export interface StructType {
  readonly itemsize: number;
  readonly fields: readonly {
    readonly name: string;
    readonly dtype: ElementType;
    readonly shape: readonly number[] | null;
  }[];
}

export type ElementType = DataType | StructType;

/** An array as it was when it was opened. */
export interface ArrayData {
  readonly dataType: ElementType;
  readonly shape: readonly number[];
  /** Along each dimension the lengths of its chunks. */
  readonly chunks: readonly (readonly number[])[];
  readonly dims: readonly string[] | null;
  /** What the selection picks, in C order, `itemsize` bytes an element. */
  read(selection: Selection): Promise<Uint8Array>;
}

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

/** A table as it was when it was opened. */
export interface TableData {
  readonly columns: readonly string[];
  readonly partitions: number;
  /** Arrow's schema in IPC form. */
  arrowSchema(): Promise<Uint8Array>;
  /** One partition or (null) all rows; `columns`: those only, in that order, all of them known. */
  read(partition: number | null, columns: readonly string[] | null): Promise<Frame>;
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
