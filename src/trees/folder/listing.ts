/**
 * The entries of a folder that can be served: sub-folders, CSV and .npy files, each under its name without the extension, with
 * the JSON file beside it as metadata. Everything else is skipped with a reason.
 */
import type { Found } from "../files/inside.ts";

export type Item = { readonly key: string; readonly name: string; readonly sidecar: string | null } & (
  | { readonly kind: "folder" }
  | { readonly kind: "csv" }
  | { readonly kind: "npy" }
);

export interface Sorted {
  /** Sorted by key, by character code. */
  readonly items: readonly Item[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

const ENDINGS: readonly (readonly [ending: string, kind: "csv" | "npy"])[] = [
  [".csv", "csv"],
  [".npy", "npy"],
];
const SIDECAR = ".json";

/** Sorts directory entries into items and skipped entries. `isBroken`: whether a file turned out not to be readable. */
export function sortOut(found: readonly Found[], isBroken: (name: string) => boolean): Sorted {
  const skipped: { name: string; why: string }[] = [];
  const skip = (name: string, why: string): void => void skipped.push({ name, why });
  const candidates = new Map<string, { name: string; kind: Item["kind"] }[]>();
  const sidecars = new Map<string, string>();
  for (const { name, kind } of found) {
    if (name === undefined) skip("?", "its name is not UTF-8");
    else if (kind === "link") skip(name, "it is a symbolic link");
    else if (kind === "other") skip(name, "it is neither a file nor a folder");
    else if (name.startsWith(".")) skip(name, "it is hidden");
    else if (kind === "folder") note(candidates, name, { name, kind });
    else if (!isBroken(name)) {
      const ending = ENDINGS.find(([ending]) => endsWith(name, ending));
      if (ending !== undefined) note(candidates, without(name, ending[0]), { name, kind: ending[1] });
      else if (endsWith(name, SIDECAR)) sidecars.set(without(name, SIDECAR), name);
      else skip(name, "its format is not supported");
    }
  }
  const items: Item[] = [];
  for (const [key, sameKey] of candidates) {
    const [only] = sameKey;
    if (only === undefined) continue;
    const sidecar = sidecars.get(key) ?? null;
    if (sameKey.length > 1) {
      for (const { name } of sameKey) skip(name, "another entry has the same name without the extension");
    } else if (key === "." || key === "..")
      skip(only.name, "its name without the extension is not a valid name");
    else {
      sidecars.delete(key);
      items.push({ ...only, key, sidecar });
    }
  }
  for (const [key, name] of sidecars) {
    if (!candidates.has(key)) skip(name, "there is no entry of this name to describe");
  }
  items.sort((left, right) => (left.key < right.key ? -1 : 1));
  return { items, skipped };
}

function note<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [value]);
  else known.push(value);
}

function endsWith(name: string, ending: string): boolean {
  return name.length > ending.length && name.toLowerCase().endsWith(ending);
}

function without(name: string, ending: string): string {
  return name.slice(0, -ending.length);
}
