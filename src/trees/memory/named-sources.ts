/**
 * Records where each array and table is in an example tree, so that the data thread can open it as well
 * (`data-thread/sources.ts`).
 */
import type {
  ArrayNode,
  ContainerNode,
  DataSource,
  Entry,
  TableNode,
  Tree,
  TreeNode,
} from "../model/contract.ts";
import { container } from "./memory.ts";

type Path = readonly string[];

/** A copy of the tree whose data have a `source`. */
export async function withSources(tree: Tree, name: string): Promise<Tree> {
  const source = (path: Path): DataSource => ({ kind: "tree", tree: name, path });

  const onContainer = async (node: ContainerNode, path: Path): Promise<ContainerNode> => {
    const entries: Entry[] = [];
    for (const [key, child] of await node.entries({ offset: 0, limit: await node.count() }))
      entries.push([key, await onNode(child, [...path, key])]);
    const { metadata, specs, accessTags, inlined } = node;
    return container(entries, { metadata, specs, inlined, ...(accessTags !== null && { accessTags }) });
  };

  const onNode = async (node: TreeNode, path: Path): Promise<TreeNode> => {
    switch (node.family) {
      case "container":
        return onContainer(node, path);
      case "array":
        return onArray(node, path);
      case "table":
        return onTable(node, path);
    }
  };

  const onArray = (node: ArrayNode, path: Path): ArrayNode => ({
    ...node,
    open: async () => {
      const data = await node.open();
      return data && { ...data, source: source(path) };
    },
  });

  const onTable = (node: TableNode, path: Path): TableNode => ({
    ...node,
    open: async () => {
      const data = await node.open();
      return (
        data && {
          ...data,
          source: source(path),
          column: (key) => {
            const column = data.column(key);
            return column && onArray(column, [...path, key]);
          },
        }
      );
    },
  });

  return { ...tree, root: await onContainer(tree.root, []) };
}
