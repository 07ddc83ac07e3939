/**
 * Passwords from libpq's password file (PostgreSQL's manual, "The Password File"): the parameter `passfile`, PGPASSFILE, or
 * `~/.pgpass`. The file is read for each new connection, so a changed password takes effect at once.
 */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "../base/errors.ts";

/** The connection that needs a password. */
export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * A function for pg's `password`, called if the server asks for one; undefined if the URI or the environment has a password.
 * @throws OperatorError if the file that `passfile` names is missing or readable by others
 */
export function passwordSource(
  address: PostgresAddress,
  host: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ((asked: Omit<Asked, "host">) => string | undefined) | undefined {
  if (address.password !== undefined || environment["PGPASSWORD"]) return undefined;
  const { passfile } = address.parameters;
  const path = passfile || environment["PGPASSFILE"] || join(homedir(), ".pgpass");
  // A file named in the URI must exist; a missing one fails at the start.
  const named = Boolean(passfile);
  if (named) read(path, named);
  // The file's entry for the default socket folder is `localhost`; the folder's own name matches too.
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
    // Like libpq and ssh, refuse a secret that other users can read.
    if ((mode & 0o077) !== 0) {
      if (!named) return undefined;
      throw new OperatorError(`The password file ${path} is readable by other users. Run: chmod 600 ${path}`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (!named && (codeOf(error) === "ENOENT" || codeOf(error) === "EACCES")) return undefined;
    throw new OperatorError(`passfile of the database's URI cannot be read: ${messageOf(error)}`);
  }
}

/** The password of the first matching line, host:port:database:user:password. `*` matches anything, `\` escapes `:` and `\`. */
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
