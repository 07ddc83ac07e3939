/**
 * Imports a class from an operator's own module, as a configuration names it: `./my_auth.js:MyAuthenticator`, relative to the
 * configuration's folder. Errors are sentences for the operator. The tables of known names are beside their loaders.
 */
import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { TSchema } from "typebox";
import { OperatorError } from "../errors.ts";
import { quoted } from "../yaml/located.ts";

const ENDINGS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/** The kind of class, for messages. */
interface KindOfClass {
  /** e.g. `./my_auth.js:MyAuthenticator`. */
  readonly example: string;
  /** The names in the table. */
  readonly available: string;
  /** The guide to the contract. */
  readonly guide: string;
}

/** A class of an operator's module, with a closed schema of its arguments. */
interface OwnClass {
  readonly args: TSchema;
  new (args: never, context: never): unknown;
}

/** Whether a name means a class of an operator's module. */
export function namesModule(name: string): boolean {
  return ENDINGS.includes(extname(split(name).path).toLowerCase());
}

export async function ownClass(name: string, directory: string, kind: KindOfClass): Promise<OwnClass> {
  const { path, exported } = split(name);
  const how = howToName(kind);
  if (!namesModule(name)) throw new OperatorError(notAModule(name, path, kind));
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exported)) {
    throw new OperatorError(
      `'${exported}' after the last colon of '${name}' is not the name of a class. ${how}.`,
    );
  }
  const file = resolve(directory, path);
  const loaded = await load(file, how);
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

/** At the last colon: a path on Windows may begin with 'C:'. */
function split(name: string): { readonly path: string; readonly exported: string } {
  const colon = name.lastIndexOf(":");
  return { path: name.slice(0, Math.max(colon, 0)), exported: name.slice(colon + 1) };
}

function howToName({ example }: KindOfClass): string {
  return `Write path:Name, as in '${example}'; the path starts from the configuration's folder`;
}

function notAModule(name: string, path: string, kind: KindOfClass): string {
  // `module:Class`, `module:Class.method` or `module.Class`, but not a single word.
  const python = /^(?=.*[.:])[\p{ID_Start}_][\p{ID_Continue}]*([.:][\p{ID_Start}_][\p{ID_Continue}]*)*$/u;
  const isFile = ENDINGS.includes(extname(name).toLowerCase());
  if (extname(path).toLowerCase() === ".py" || (python.test(name) && !isFile)) {
    return (
      `${quoted(name)} is a Python class, and this server cannot run Python. Use one of its own: ${kind.available}. ` +
      `Or write the class in JavaScript (${kind.guide}) and name it like '${kind.example}', with its path from the configuration's folder.`
    );
  }
  return (
    `${quoted(name)} is not known here. Use ${kind.available}. ` +
    `Or name a class of your own like '${kind.example}', with its path from the configuration's folder (${ENDINGS.join(", ")}).`
  );
}

async function load(file: string, how: string): Promise<Record<string, unknown>> {
  const status = await stat(file).catch((error: NodeJS.ErrnoException) => error.code ?? "error");
  if (status === "ENOENT" || status === "ENOTDIR")
    throw new OperatorError(`There is no file ${file}. ${how}.`);
  if (typeof status === "string") throw new OperatorError(`${file} cannot be read (${status}).`);
  if (!status.isFile()) throw new OperatorError(`${file} is not a file. ${how}.`);
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    throw new OperatorError(`${file} cannot be loaded: ${reason(error)}`);
  }
}

function checked(value: unknown, what: string): OwnClass {
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
  return value as unknown as OwnClass;
}

/** The first line of what was thrown. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [line] = error.message.split("\n", 1);
  const plain = error.name === "Error" || error instanceof OperatorError;
  return plain ? `${line}` : `${error.name}: ${line}`;
}
