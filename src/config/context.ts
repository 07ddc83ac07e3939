/**
 * What the rules across keys work with: the checked values, where each of them stands, and where to report.
 */
import type { Located, Path, Spot } from "../yaml/located.ts";
import { at, pathText, spotOf } from "../yaml/located.ts";
import type { ConfigPlace, Problems } from "../yaml/problems.ts";
import { shownValue } from "../yaml/shown.ts";
import type { FileValue } from "./schema.ts";

/** What the command line says; it wins over everything. */
/** Options of the command line, which win over the configuration. */
export interface Overrides {
  /** true: anonymous callers may read. false changes nothing. */
  readonly public?: boolean | undefined;
  readonly apiKey?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

export class Context {
  readonly value: FileValue;
  readonly root: Located;
  readonly overrides: Overrides;
  readonly problems: Problems;
  readonly warnings: string[];

  constructor(value: FileValue, root: Located, overrides: Overrides, problems: Problems, warnings: string[]) {
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

  noEffect(place: ConfigPlace, why: string): void {
    this.warnings.push(noEffect(place, why));
  }

  warn(path: Path, message: string): void {
    this.warnings.push(`${placeText(this.spot(path))}: ${pathText(path)}: ${message}`);
  }
}

/** One line of the log for a key that is accepted so that existing files still load. */
export function noEffect(place: ConfigPlace, why: string): string {
  return `accepted and of no effect here: ${place.path} (${placeText(place)}): ${why}`;
}

export function placeText(spot: Spot): string {
  return spot.line > 0 ? `${spot.file}:${spot.line}` : spot.file;
}
