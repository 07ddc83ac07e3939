/**
 * The names of the trees that this server can serve by itself, as configurations write them. Apart from their loaders
 * (`load.ts`), so that a configuration is checked without loading a tree.
 */
export const TREE_NAMES = ["tiled.examples.generated_minimal:tree"] as const;

export type TreeName = (typeof TREE_NAMES)[number];

export function isTreeName(name: string): name is TreeName {
  return (TREE_NAMES as readonly string[]).includes(name);
}
