/**
 * What is wrong with a configuration, collected so that an operator sees all of it at once. Messages are written by
 * who finds the problem and hold no value that may be a secret.
 */
import { OperatorError } from "../errors.ts";
import { type Path, pathText, type Spot } from "./located.ts";

export interface Problem extends Spot {
  /** Key path; "" for the whole file. */
  readonly path: string;
  readonly message: string;
}

export class ConfigError extends OperatorError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = inOrder(problems);
    super(text(sorted));
    this.problems = sorted;
  }
}

/** File by file as they came up, each in the order of its lines. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return problems.toSorted(
    (left, right) => files.indexOf(left.file) - files.indexOf(right.file) || left.line - right.line,
  );
}

/** One line each: where, and what. */
export function problemLines(problems: readonly Problem[]): readonly string[] {
  return inOrder(problems).map((problem) => {
    const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
    return [place, problem.path, problem.message].filter((part) => part !== "").join(": ");
  });
}

function text(problems: readonly Problem[]): string {
  const lines = problemLines(problems);
  if (lines.length === 1) return `The configuration has an error.\n${lines[0]}`;
  return `The configuration has ${lines.length} errors.\n${lines.join("\n")}`;
}

export class Problems {
  readonly #found: Problem[] = [];

  add(spot: Spot, path: Path, message: string): void {
    const problem = { ...spot, path: pathText(path), message };
    const same = (other: Problem) =>
      other.file === problem.file &&
      other.line === problem.line &&
      other.path === problem.path &&
      other.message === message;
    if (!this.#found.some(same)) this.#found.push(problem);
  }

  get all(): readonly Problem[] {
    return this.#found;
  }
}
