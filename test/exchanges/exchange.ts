/**
 * The files of exchanges (`*.yml`) as data. An answer is what the reference sends; where ours does better on purpose,
 * `ours` has our answer and `because` the reason.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Pattern } from "./matcher.ts";

export interface Answer {
  /** Several: any of them. */
  readonly status?: number | readonly number[];
  /** Null: not there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** All that are set, without `tiled_csrf` where it is not named: every success sets that where it was missing. */
  readonly cookies?: readonly string[];
  readonly json?: Pattern;
  readonly msgpack?: Pattern;
  /** Short for `json: {detail: …}`. */
  readonly detail?: Pattern;
  /** The problems of a 422, each `<type> <place>` or only the place: `missing body.scopes`. */
  readonly invalid?: readonly string[];
  /** The scope that a 401 names as missing, and `had`, those that the request had. */
  readonly missing?: string;
  readonly had?: string | readonly string[];
  readonly text?: string;
  /** A page; a list: with these fields to fill in. */
  readonly html?: true | readonly string[];
  readonly empty?: true;
  /** The first sixteen digits of the body's digest. */
  readonly sha256?: string;
  readonly arrow?: { readonly rows: number; readonly columns: readonly string[] };
}

export interface Forgery {
  /** The token whose claims are taken: `alice.access_token`. */
  readonly like?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly without?: readonly string[];
  readonly key?: string;
  readonly alg?: "HS256" | "HS512" | "none";
}

export interface Exchange {
  /** Without one it prepares the others and must succeed. */
  readonly name?: string;
  /** Method and path. */
  readonly send: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: string;
  readonly json?: unknown;
  readonly body?: string;
  /** Made before the request, which calls it `<forged>`. */
  readonly forge?: Forgery;
  /** The answer's fields are `<name.field>` from now on. */
  readonly save?: string;
  readonly times?: number;
  readonly answer?: Answer;
  readonly ours?: Answer;
  readonly because?: string;
}

/**
 * `login alice`, `login bob 200` (times), `wait 2` (seconds), `visit device` (a person follows the address of the answer
 * saved so, logs in at the provider and is sent back: with `<device.back>` as the query), or an exchange.
 */
export type Step = string | Exchange;

export interface Scene {
  readonly server: "toy" | "dummy" | "single user" | "public" | "external" | "proxied";
  /** Merged into that server's configuration. */
  readonly change?: Readonly<Record<string, object>>;
  readonly setup?: readonly Step[];
  readonly exchanges: readonly Step[];
}

const FOLDER = new URL("./", import.meta.url);

function read(file: string): unknown {
  return parse(readFileSync(new URL(file, FOLDER), "utf8"));
}

const SHAPES = "shapes.yml";

export function readShapes(): Readonly<Record<string, Pattern>> {
  return read(SHAPES) as Record<string, Pattern>;
}

/** Every theme's scenes, by the file's name without its ending. */
export function readThemes(): ReadonlyMap<string, readonly Scene[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yml") && file !== SHAPES);
  return new Map(files.sort().map((file) => [file.slice(0, -".yml".length), read(file) as Scene[]]));
}
