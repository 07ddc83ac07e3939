/**
 * Adjusts paths that are relative to the configuration's folder for a file in another folder. Paths of SQLite files, storage
 * and certificates are relative to the folder in which the server is started, as in Tiled, and stay.
 */
import { isAbsolute, relative, resolve } from "node:path";
import { type Document, isMap, isScalar, isSeq, type Scalar } from "yaml";
import { namesModule } from "../../plugins/own-class.ts";

const FIXED = [["env_file"], ["pages", "logo"], ["access_control", "args", "tag_definitions"]];

/** Text with a variable stays, since its value is unknown here. */
export function moveRelativePaths(document: Document, from: string, to: string): void {
  if (from === to) return;
  const moved = (path: string): string => {
    if (isAbsolute(path) || path.includes("$")) return path;
    const there = relative(to, resolve(from, path)).replaceAll("\\", "/");
    return there.startsWith("../") ? there : `./${there}`;
  };
  const change = (node: unknown, how: (text: string) => string) => {
    if (isScalar(node) && typeof node.value === "string") (node as Scalar).value = how(node.value);
  };
  const module = (name: string) => {
    if (!namesModule(name)) return name;
    const colon = name.lastIndexOf(":");
    return `${moved(name.slice(0, colon))}${name.slice(colon)}`;
  };
  for (const path of FIXED) change(document.getIn(path, true), moved);
  change(document.getIn(["access_control", "access_policy"], true), module);
  for (const provider of items(document, ["authentication", "providers"])) {
    const icon = provider.get("icon");
    if (typeof icon === "string" && /[./]/.test(icon)) change(provider.get("icon", true), moved);
    change(provider.get("authenticator", true), module);
  }
  for (const tree of items(document, ["trees"])) {
    for (const key of ["directory", "access_tags_file"]) change(tree.getIn(["args", key], true), moved);
  }
}

function items(document: Document, path: readonly string[]) {
  const list = document.getIn(path, true);
  return isSeq(list) ? list.items.filter((item) => isMap(item)) : [];
}
