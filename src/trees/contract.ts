/**
 * What is served behind the authentication, behind one small interface: a tree of nodes that can be looked up, listed
 * and read. `http/tree*.ts` speak HTTP, `formats.ts` knows the media types; a tree knows nothing of either.
 */
import type { Selection } from "./selection.ts";

export interface Spec {
  readonly name: string;
  readonly version: string | null;
}

interface NodeBase {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly specs: readonly Spec[];
  /** null: the node has no notion of tags. */
  readonly accessTags: readonly string[] | null;
}

export interface ContainerNode extends NodeBase {
  readonly family: "container";
  /** Whether its children are told inside its own structure. */
  readonly inlined: boolean;
  count(): Promise<number>;
  child(key: string): Promise<TreeNode | undefined>;
  /** In a stable order. */
  entries(page: { readonly offset: number; readonly limit: number }): Promise<readonly Entry[]>;
}

export type Entry = readonly [key: string, node: TreeNode];

/** NumPy's description of an element: `{kind: "f", itemsize: 8, endianness: "little"}`. */
export interface DataType {
  readonly endianness: "little" | "big" | "not_applicable";
  readonly kind: string;
  /** Bytes of one element. */
  readonly itemsize: number;
  readonly dt_units: string | null;
}

export interface ArrayNode extends NodeBase {
  readonly family: "array";
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Along each dimension the lengths of its chunks. */
  readonly chunks: readonly (readonly number[])[];
  readonly dims: readonly string[] | null;
  /** What the selection picks, in C order, `itemsize` bytes an element. */
  read(selection: Selection): Promise<Uint8Array>;
}

/** The element types that tables have, so far. */
export type ColumnValues = Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

export interface Column {
  readonly name: string;
  readonly values: ColumnValues;
}

/** Rows of a table, as pandas sees them. */
export interface Frame {
  readonly length: number;
  readonly columns: readonly Column[];
  /** The rows' labels. `name: null`: they have no name of their own; null: they are counted from 0. */
  readonly index: { readonly name: string | null; readonly values: ColumnValues } | null;
}

export interface TableNode extends NodeBase {
  readonly family: "table";
  readonly columns: readonly string[];
  readonly partitions: number;
  /** Arrow's schema in IPC form. */
  arrowSchema(): Promise<Uint8Array>;
  /** One partition or (null) all rows; `columns`: those only, in that order, all of them known. */
  read(partition: number | null, columns: readonly string[] | null): Promise<Frame>;
  /** A column as an array. */
  column(name: string): Promise<ArrayNode | undefined>;
}

export type TreeNode = ContainerNode | ArrayNode | TableNode;
export type Family = TreeNode["family"];

export interface Tree {
  readonly root: ContainerNode;
  close?(): Promise<void>;
}
