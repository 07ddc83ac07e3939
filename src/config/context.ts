/**
 * What the rules between keys work with: the checked values, their places in the file, and the list of problems.
 */
import type { Environment } from "../yaml/interpolate.ts";
import type { Located, Path, Spot } from "../yaml/located.ts";
import { at, pathText, spotOf } from "../yaml/located.ts";
import type { ConfigPlace, Problems } from "../yaml/problems.ts";
import { shownValue } from "../yaml/shown.ts";
import type { FileValue } from "./schema.ts";

/** Options of the command line, which win over the file and the environment. */
export interface Overrides {
  /** true: visitors may read. false: as configured. */
  readonly public?: boolean | undefined;
  readonly apiKey?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** What a configuration on disk is read with. */
export interface ConfigFrom {
  readonly path: string;
  readonly env: Environment;
  readonly overrides: Overrides;
}

type ContextParts = Pick<Context, "value" | "root" | "overrides" | "problems" | "warnings">;

export class Context {
  readonly value: FileValue;
  readonly root: Located;
  readonly overrides: Overrides;
  readonly problems: Problems;
  readonly warnings: string[];
  /** Files that the configuration names and that are part of it: the terms of service. */
  readonly files: string[] = [];

  constructor({ value, root, overrides, problems, warnings }: ContextParts) {
    this.value = value;
    this.root = root;
    this.overrides = overrides;
    this.problems = problems;
    this.warnings = warnings;
  }

  spot(path: Path): Spot {
    return spotOf(this.root, path);
  }

  place(path: Path): ConfigPlace {
    return { ...this.spot(path), path: pathText(path) };
  }

  /** The text at a path as a message may show it, else `otherwise`. Not for keys that hold secrets. */
  shown(path: Path, otherwise: string): string {
    const node = at(this.root, path);
    return (node && shownValue({ type: "string" }, node)) ?? otherwise;
  }

  problem(path: Path, message: string): void {
    this.problems.add(this.spot(path), path, message);
  }

  /** At the line of the key, which is not always that of its value. */
  keyProblem(path: Path, message: string): void {
    const parent = at(this.root, path.slice(0, -1));
    const entry = parent?.kind === "mapping" ? parent.entries.get(String(path.at(-1))) : undefined;
    this.problems.add(entry?.keySpot ?? this.spot(path), path, message);
  }

  noEffect(place: ConfigPlace, why: string): void {
    this.warnings.push(noEffect(place, why));
  }

  warn(path: Path, message: string): void {
    this.warnings.push(`${placeText(this.spot(path))}: ${pathText(path)}: ${message}`);
  }
}

/** A line of the log about a key that is accepted only so that existing files load. */
export function noEffect(place: ConfigPlace, why: string): string {
  return `accepted and of no effect here: ${place.path} (${placeText(place)}): ${why}`;
}

export function placeText(spot: Spot): string {
  return spot.line > 0 ? `${spot.file}:${spot.line}` : spot.file;
}
