/**
 * A class of authenticators from its name in the configuration: from the table, or from an operator's own module
 * (`./my_auth.js:MyAuthenticator`, from the configuration's folder). What is wrong is a sentence for the operator.
 */
import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "../config/suggest.ts";
import { OperatorError } from "../errors.ts";
import type { AuthenticatorClass } from "./contract.ts";
import { AUTHENTICATORS, availableNames, ELSEWHERE, PREFIX } from "./table.ts";

const ENDINGS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];
const HOW_TO_NAME_ONE =
  "Write path:Name, as in './my_auth.js:MyAuthenticator'; the path starts from the configuration's folder";

export async function authenticatorClass(name: string, directory: string): Promise<AuthenticatorClass> {
  const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  const entry = AUTHENTICATORS.get(bare);
  if (entry !== undefined && bare !== name) return entry();
  if (entry !== undefined) throw new OperatorError(`'${name}' must be written '${PREFIX}${name}'.`);
  if (ELSEWHERE.has(bare)) {
    throw new OperatorError(
      `'${bare}' is not part of this version; the available ones are ${availableNames()}.`,
    );
  }
  if (bare !== name) {
    const near = nearest(bare, [...AUTHENTICATORS.keys(), ...ELSEWHERE]);
    const hint = near === undefined ? "" : ` Did you mean '${PREFIX}${near}'?`;
    throw new OperatorError(`'${name}' is not known.${hint} The available ones are ${availableNames()}.`);
  }
  return ownClass(name, directory);
}

async function ownClass(name: string, directory: string): Promise<AuthenticatorClass> {
  // The last colon: a path on Windows may begin with 'C:'.
  const colon = name.lastIndexOf(":");
  const path = name.slice(0, Math.max(colon, 0));
  const exported = name.slice(colon + 1);
  const ending = extname(path).toLowerCase();
  if (!ENDINGS.includes(ending)) throw new OperatorError(notAModule(name, path, ending));
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exported)) {
    throw new OperatorError(
      `'${exported}' after the last colon of '${name}' is no name of a class. ${HOW_TO_NAME_ONE}.`,
    );
  }
  const file = resolve(directory, path);
  const loaded = await load(file);
  const found = Object.hasOwn(loaded, exported) ? loaded[exported] : undefined;
  if (found === undefined) {
    const others = Object.keys(loaded);
    const has = others.length === 0 ? "it exports nothing" : `it exports ${others.join(", ")}`;
    throw new OperatorError(
      `${file} does not export '${exported}': ${has}. Write 'export class ${exported}'.`,
    );
  }
  return checked(found, `'${exported}' of ${file}`);
}

function notAModule(name: string, path: string, ending: string): string {
  if (
    ending === ".py" ||
    /^[\p{ID_Start}_][\p{ID_Continue}]*(\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u.test(path)
  ) {
    return (
      `'${name}' names a Python class, and this server cannot run Python. The available ones are ${availableNames()}. ` +
      `An own one is a JavaScript class: see docs/authenticators.md and example_configs/my_auth.js. ${HOW_TO_NAME_ONE}.`
    );
  }
  return `'${name}' names neither one of ${availableNames()} nor a module (${ENDINGS.join(", ")}). ${HOW_TO_NAME_ONE}.`;
}

async function load(file: string): Promise<Record<string, unknown>> {
  const status = await stat(file).catch((error: NodeJS.ErrnoException) => error.code ?? "error");
  if (status === "ENOENT" || status === "ENOTDIR")
    throw new OperatorError(`There is no file ${file}. ${HOW_TO_NAME_ONE}.`);
  if (typeof status === "string") throw new OperatorError(`${file} cannot be read (${status}).`);
  if (!status.isFile()) throw new OperatorError(`${file} is not a file. ${HOW_TO_NAME_ONE}.`);
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    throw new OperatorError(`${file} cannot be loaded: ${reason(error)}`);
  }
}

function checked(value: unknown, what: string): AuthenticatorClass {
  if (typeof value !== "function" || value.prototype === undefined) {
    const found =
      typeof value === "function" ? "a function that 'new' cannot call" : `of type ${typeof value}`;
    throw new OperatorError(`${what} is not a class but ${found}.`);
  }
  const { args } = value as unknown as { readonly args?: Readonly<Record<string, unknown>> };
  if (
    typeof args !== "object" ||
    args === null ||
    args["type"] !== "object" ||
    args["additionalProperties"] !== false
  ) {
    throw new OperatorError(
      `${what} has no schema of its arguments. Write ` +
        "'static args = { type: \"object\", properties: {…}, required: […], additionalProperties: false }'; " +
        "additionalProperties must be false, so that a misspelt argument is found.",
    );
  }
  return value as unknown as AuthenticatorClass;
}

/** One line of what was thrown. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [line] = error.message.split("\n", 1);
  const plain = error.name === "Error" || error instanceof OperatorError;
  return plain ? `${line}` : `${error.name}: ${line}`;
}
