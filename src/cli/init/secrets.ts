/**
 * The file with the values of a configuration's variables (`env_file`): secrets that are made here, and those that only its owner
 * knows, to be filled in.
 */
import { randomBytes } from "node:crypto";

export interface Variable {
  readonly name: string;
  /** One line, for the file. */
  readonly about: string;
  /** Null: to be filled in. */
  readonly value: string | null;
}

/** 256 random bits. */
export function newKey(): string {
  return randomBytes(32).toString("hex");
}

/** `config`: the name of the configuration. */
export function secretsText(variables: readonly Variable[], config: string): string {
  return [
    `# The variables of ${config}, one line NAME=value each. Keep this file private: it is as good as a login of every user.`,
    "# A variable of the same name in the environment wins.",
    ...variables.flatMap(({ name, about, value }) => [
      "",
      `# ${about}`,
      value === null ? `#${name}=` : `${name}=${value}`,
    ]),
    "",
  ].join("\n");
}
