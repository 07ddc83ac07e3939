/** Values in a YAML text, and the parts that sections are made of. */
import { stringify } from "yaml";
import type { Variable } from "./secrets.ts";

export interface Section {
  readonly lines: readonly string[];
  readonly variables: readonly Variable[];
}

/** Quoted where a reader of YAML 1.1 or 1.2 would take it for something else than this text. */
export function scalar(text: string): string {
  return stringify(text, { version: "1.1", lineWidth: 0 }).trimEnd();
}
