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
    super(text(problems));
    this.problems = problems;
  }
}

function text(problems: readonly Problem[]): string {
  const lines = problems.map((problem) => {
    const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
    return [place, problem.path, problem.message].filter((part) => part !== "").join(": ");
  });
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

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** In the order of the files' lines. */
  throwIfAny(): void {
    if (!this.any) return;
    const files = [...new Set(this.#found.map((problem) => problem.file))];
    const order = (problem: Problem) => files.indexOf(problem.file);
    throw new ConfigError(
      this.#found.toSorted((left, right) => order(left) - order(right) || left.line - right.line),
    );
  }
}
