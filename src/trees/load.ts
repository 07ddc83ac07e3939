/**
 * Builds the served tree from the configured list of trees: each is mounted at its path, with containers created along the way.
 */
import { OperatorError } from "../errors.ts";
import { type FilesArgs, isTreeName, TREE_NAMES, type TreeName } from "../vocabulary/trees.ts";
import { type ConfigPlace, toldAt } from "../yaml/problems.ts";
import type { TreeContext } from "./folder/context.ts";
import { container } from "./memory/memory.ts";
import { type NamedTree, namedTree } from "./memory/named.ts";
import type { ContainerNode, Tree } from "./model/contract.ts";

export interface TreeEntry {
  readonly path: string;
  readonly tree: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly accessTags: readonly string[] | null;
  /** Position in the configuration file. */
  readonly place?: ConfigPlace;
}

type Loader = (args: TreeEntry["args"], context: TreeContext) => Promise<Tree>;

const named =
  (name: NamedTree): Loader =>
  (_args, { clock }) =>
    namedTree(name, clock);

const LOADERS: Readonly<Record<TreeName, Loader>> = {
  "tiled.examples.generated_minimal:tree": named("tiled.examples.generated_minimal:tree"),
  "tiled.examples.generated:tree": named("tiled.examples.generated:tree"),
  files: async (args, context) => (await import("./folder/tree.ts")).filesTree(args as FilesArgs, context),
};

/** A path's content: a tree, or a folder on the way to trees. */
type Mount = ContainerNode | Folder;
interface Folder extends Map<string, Mount> {}

/**
 * Loads and mounts all trees.
 *
 * @throws {OperatorError} A tree is unknown, its arguments are wrong, or two trees contain each other.
 */
export async function loadTrees(entries: readonly TreeEntry[], context: TreeContext): Promise<Tree> {
  const trees: Tree[] = [];
  let top: Mount = new Map();
  for (const entry of entries) {
    const tree = await load(entry, context);
    trees.push(tree);
    const { accessTags } = entry;
    const root = accessTags === null ? tree.root : tagged(tree.root, accessTags);
    top = mount(top, entry.path.split("/").filter(Boolean), root, entry.path);
  }
  return {
    root: asNode(top),
    tags: () => [
      ...entries.flatMap(({ accessTags }) => accessTags ?? []),
      ...trees.flatMap((tree) => tree.tags?.() ?? []),
    ],
    close: async () => {
      await Promise.all(trees.map((tree) => tree.close?.()));
    },
  };
}

function mount(
  known: Mount | undefined,
  segments: readonly string[],
  node: ContainerNode,
  path: string,
): Mount {
  const [segment, ...rest] = segments;
  const folder = known ?? new Map<string, Mount>();
  if (!(folder instanceof Map) || (segment === undefined && folder.size > 0)) {
    throw new OperatorError(`The tree at ${path} overlaps another one. Give each tree a path of its own.`);
  }
  if (segment === undefined) return node;
  return folder.set(segment, mount(folder.get(segment), rest, node, path));
}

function asNode(mounted: Mount): ContainerNode {
  if (!(mounted instanceof Map)) return mounted;
  return container([...mounted].map(([key, below]) => [key, asNode(below)] as const));
}

/** Nodes below without tags of their own inherit these (`search/view.ts`). */
function tagged(root: ContainerNode, accessTags: readonly string[]): ContainerNode {
  return { ...root, accessTags };
}

async function load({ path, tree, args, place }: TreeEntry, context: TreeContext): Promise<Tree> {
  if (!isTreeName(tree)) {
    throw new OperatorError(
      `The tree ${tree} (at ${path}) cannot be served by this server; run it in a real Tiled. ` +
        `Served here: ${TREE_NAMES.join(", ")}.`,
    );
  }
  const make = () => LOADERS[tree](args, context);
  return place === undefined ? make() : toldAt({ ...place, path: `${place.path}.args` }, make);
}
