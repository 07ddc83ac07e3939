/**
 * What is served behind the authentication, behind one small interface: a tree of nodes that can be looked up, listed
 * and read. `http/tree.ts` speaks HTTP; a tree knows nothing of it.
 */
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
  /** The key that a dataset's structure is inlined under, where it is. */
  readonly inlined: boolean;
  count(): Promise<number>;
  child(key: string): Promise<TreeNode | undefined>;
  /** In a stable order. */
  entries(page: { readonly offset: number; readonly limit: number }): Promise<readonly (readonly [string, TreeNode])[]>;
}

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
  readonly chunks: readonly (readonly number[])[];
  readonly dims: readonly string[] | null;
  /** The whole array in C order, `itemsize` bytes an element. */
  read(): Promise<Uint8Array>;
}

export interface TableNode extends NodeBase {
  readonly family: "table";
  readonly columns: readonly string[];
  readonly partitions: number;
  /** Arrow's schema in IPC form, base64 behind `data:application/vnd.apache.arrow.file;base64,`. */
  arrowSchema(): Promise<string>;
  /** One partition as an Arrow IPC file; `columns`: only those. */
  partition(index: number, columns: readonly string[] | null): Promise<Uint8Array>;
  /** A column as an array. */
  column(name: string): Promise<ArrayNode | undefined>;
}

export type TreeNode = ContainerNode | ArrayNode | TableNode;

export interface Tree {
  readonly root: ContainerNode;
  close?(): Promise<void>;
}
