/**
 * From the configuration's list of trees to the one tree that is served: each is mounted at its path, in containers that
 * are made for the purpose.
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
  /** Where a configuration has it. */
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

/** What stands at a path: a tree, or a container on the way to one. */
type Mount = ContainerNode | Folder;
interface Folder extends Map<string, Mount> {}

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
  place: Mount | undefined,
  segments: readonly string[],
  node: ContainerNode,
  path: string,
): Mount {
  const [segment, ...rest] = segments;
  const folder = place ?? new Map<string, Mount>();
  if (!(folder instanceof Map) || (segment === undefined && folder.size > 0)) {
    throw new OperatorError(
      `The tree at ${path} and another one contain each other: give each a path of its own.`,
    );
  }
  if (segment === undefined) return node;
  return folder.set(segment, mount(folder.get(segment), rest, node, path));
}

function asNode(place: Mount): ContainerNode {
  if (!(place instanceof Map)) return place;
  return container([...place].map(([key, below]) => [key, asNode(below)] as const));
}

/** What is below and has no tags of its own bears these as well (`search/view.ts`). */
function tagged(root: ContainerNode, accessTags: readonly string[]): ContainerNode {
  return { ...root, accessTags };
}

async function load({ path, tree, args, place }: TreeEntry, context: TreeContext): Promise<Tree> {
  if (!isTreeName(tree)) {
    throw new OperatorError(
      `The tree ${tree} (at ${path}) is not one that this server can serve by itself: it has to run in a real Tiled. ` +
        `Served here: ${TREE_NAMES.join(", ")}.`,
    );
  }
  const make = () => LOADERS[tree](args, context);
  return place === undefined ? make() : toldAt({ ...place, path: `${place.path}.args` }, make);
}
