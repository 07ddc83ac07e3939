/**
 * The problems of a configuration, collected so that an operator sees all of them at once. Each message is written where the
 * problem is found, and never repeats a value that may be a secret.
 */
import { OperatorError } from "../errors.ts";
import { type Path, pathText, type Spot } from "./located.ts";

/** A place in a configuration: file, line and key. */
export interface ConfigPlace extends Spot {
  /** e.g. `authentication.providers[0].args`; "" for the whole file. */
  readonly path: string;
}

/** One problem of a configuration. The message holds no value that may be a secret. */
export interface ConfigProblem extends ConfigPlace {
  readonly message: string;
}

/** A configuration that cannot be used, with all its problems sorted by file and line. `message` lists them for a terminal. */
export class ConfigError extends OperatorError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const sorted = inOrder(problems);
    super(text(sorted));
    this.problems = sorted;
  }
}

/** Adds the place in the configuration to an `OperatorError` of `work`. */
export async function toldAt<Result>(
  place: ConfigPlace,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OperatorError) || error instanceof ConfigError) throw error;
    throw new ConfigError([{ ...place, message: error.message }]);
  }
}

/** File by file in the order of their first problems, each in the order of its lines. */
function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return problems.toSorted(
    (left, right) => files.indexOf(left.file) - files.indexOf(right.file) || left.line - right.line,
  );
}

/** Places that a message names beside the first. */
const MOST_PLACES = 4;

/** One line each: the place and the message. The same problem at several items of a list is one line with all places. */
export function problemLines(problems: readonly ConfigProblem[]): readonly string[] {
  const equal = Map.groupBy(inOrder(problems), ({ file, path, message }) =>
    JSON.stringify([file, path.replaceAll(/\[\d+\]/g, "[]"), message]),
  );
  return [...equal.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : line(first, others),
  );
}

function line(first: ConfigProblem, others: readonly ConfigProblem[]): string {
  const place = first.line > 0 ? `${first.file}:${first.line}` : first.file;
  const text = [place, first.path, first.message].filter((part) => part !== "").join(": ");
  if (others.length === 0) return text;
  // An excerpt of the file stays below the sentence.
  const [sentence = "", ...excerpt] = text.split("\n");
  const end = /[.?!…"]$/.test(sentence) ? "" : ".";
  return [`${sentence}${end} The same at ${placesText(others)}.`, ...excerpt].join("\n");
}

/** `server.port (line 3), uvicorn.port (line 7) and 40 more places`. */
export function placesText(places: readonly ConfigProblem[]): string {
  const named = places
    .slice(0, MOST_PLACES)
    .map(({ path, line }) => (line === 0 ? path : path === "" ? `line ${line}` : `${path} (line ${line})`));
  const more = places.length - named.length;
  if (more > 0) return `${named.join(", ")} and ${more} more ${more === 1 ? "place" : "places"}`;
  const last = named.pop();
  return named.length === 0 ? `${last}` : `${named.join(", ")} and ${last}`;
}

function text(problems: readonly ConfigProblem[]): string {
  const lines = problemLines(problems);
  if (lines.length === 1) return `The configuration has an error.\n${lines[0]}`;
  return `The configuration has ${lines.length} errors.\n${lines.join("\n")}`;
}

export class Problems {
  readonly #found: ConfigProblem[] = [];

  add(spot: Spot, path: Path, message: string): void {
    const problem = { ...spot, path: pathText(path), message };
    const same = (other: ConfigProblem) =>
      other.file === problem.file &&
      other.line === problem.line &&
      other.path === problem.path &&
      other.message === message;
    if (!this.#found.some(same)) this.#found.push(problem);
  }

  get all(): readonly ConfigProblem[] {
    return this.#found;
  }
}
