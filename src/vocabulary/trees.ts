/**
 * The trees that this server serves by itself: their names, as configurations write them, and the schemas of their arguments.
 * Their loaders are in `trees/load.ts`.
 */
import { type Static, Type } from "typebox";
import { optional, section } from "../yaml/schema-shapes.ts";

export const FilesArgs = section("A folder that is served", {
  directory: Type.String({
    format: "not-empty",
    description: "The folder, relative to the configuration's folder",
  }),
  access_tags_file: optional(
    Type.String({ format: "not-empty" }),
    "The file that gives entries their tags, relative to the configuration's folder",
  ),
});

export type FilesArgs = Static<typeof FilesArgs>;

const NoArgs = section("This tree takes no arguments", {});

export const TREE_ARGS = {
  "tiled.examples.generated_minimal:tree": NoArgs,
  "tiled.examples.generated:tree": NoArgs,
  files: FilesArgs,
} as const;

export type TreeName = keyof typeof TREE_ARGS;

export const TREE_NAMES = Object.keys(TREE_ARGS) as readonly TreeName[];

export function isTreeName(name: string): name is TreeName {
  return Object.hasOwn(TREE_ARGS, name);
}
