/**
 * Passwords from a file, as libpq has them (PostgreSQL's manual, "The Password File"): the parameter `passfile`, PGPASSFILE, or
 * `~/.pgpass`. It is read for each new connection, so that a changed password counts at once.
 */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "../base/errors.ts";

export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** For pg: asked where the server wants a password. Undefined: the URI or the environment has one. */
export function passwordSource(
  address: PostgresAddress,
  host: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ((asked: Omit<Asked, "host">) => string | undefined) | undefined {
  if (address.password !== undefined || environment["PGPASSWORD"]) return undefined;
  const { passfile } = address.parameters;
  const path = passfile || environment["PGPASSFILE"] || join(homedir(), ".pgpass");
  // One that is named must be there, and be found out at the start.
  const named = Boolean(passfile);
  if (named) read(path, named);
  // A socket's folder is written as localhost in the file where it is the usual one; its own name counts as well.
  const names = host.startsWith("/") ? [host, "localhost"] : [host];
  return (asked) => {
    const text = read(path, named);
    return text === undefined
      ? undefined
      : names.map((name) => passwordIn(text, { ...asked, host: name })).find((found) => found !== undefined);
  };
}

function read(path: string, named: boolean): string | undefined {
  try {
    const { mode } = statSync(path);
    // As libpq and ssh: a secret that others can read is not used.
    if ((mode & 0o077) !== 0) {
      if (!named) return undefined;
      throw new OperatorError(
        `The password file ${path} can be read by other users of the machine: chmod 600 ${path}`,
      );
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (!named && (codeOf(error) === "ENOENT" || codeOf(error) === "EACCES")) return undefined;
    throw new OperatorError(`passfile of the database's URI cannot be read: ${messageOf(error)}`);
  }
}

/** The first line whose four fields fit: host:port:database:user:password, with * for any and \ before : and \. */
export function passwordIn(text: string, asked: Asked): string | undefined {
  const wanted = [asked.host, String(asked.port), asked.database, asked.user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = /^((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):(.*)$/.exec(
      line,
    );
    if (fields === null) continue;
    const [, ...values] = fields;
    const password = values.pop() ?? "";
    if (values.every((value, index) => value === "*" || plain(value) === wanted[index]))
      return plain(password);
  }
  return undefined;
}

function plain(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}
