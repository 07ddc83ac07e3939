/**
 * How a connection to PostgreSQL is encrypted: `sslmode` and the files it needs, from the URI, the environment and
 * `~/.postgresql`, as libpq has them (PostgreSQL's manual, "SSL Support" of libpq). `ssl` is what asyncpg's URIs say.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, getCACertificates, type SecureVersion } from "node:tls";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import { OperatorError } from "../../errors.ts";
import { messageOf } from "../base/errors.ts";

/** False: none. */
export type Encryption = false | ConnectionOptions;

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

type Setting = "sslmode" | "sslrootcert" | "sslcrl" | "sslcert" | "sslkey";

/** The certificates that the machine trusts, in place of a file. */
const SYSTEM = "system";

const FILES = {
  sslrootcert: ["ca", "root.crt"],
  sslcrl: ["crl", "root.crl"],
  sslcert: ["cert", "postgresql.crt"],
  sslkey: ["key", "postgresql.key"],
} as const;

/** One way to connect, or two: the second where the first comes to nothing. */
export function encryptionOf(
  address: Pick<PostgresAddress, "parameters">,
  host: string,
  { environment, home }: Surroundings = { environment: process.env, home: homedir() },
): readonly [Encryption, Encryption?] {
  const said = (setting: Setting) => address.parameters[setting] || environment[`PG${setting.toUpperCase()}`];
  const system = said("sslrootcert") === SYSTEM;
  const { sslmode, ssl } = address.parameters;
  const mode = sslmode || ssl || environment["PGSSLMODE"] || (system ? "verify-full" : "prefer");
  // A socket of this machine's file system: nothing to encrypt, whatever the mode.
  if (host.startsWith("/")) return [false];
  const encrypted = (check: Check) => {
    if (system && check !== "name") {
      throw new OperatorError(
        `sslrootcert=system of the database's URI needs sslmode=verify-full, not ${mode}, because anyone can get a certificate that the machine trusts.`,
      );
    }
    return {
      ...options(check, said, join(home, ".postgresql"), address.parameters["sslpassword"]),
      ...versions(address.parameters),
    };
  };
  switch (mode.toLowerCase()) {
    case "disable":
    case "false":
    case "0":
      return [false];
    case "allow":
      return [false, encrypted("if possible")];
    case "prefer":
      return [encrypted("if possible"), false];
    case "require":
    case "true":
    case "1":
      return [encrypted("if possible")];
    case "verify-ca":
      return [encrypted("issuer")];
    case "verify-full":
      return [encrypted("name")];
    default:
      throw new OperatorError(
        `sslmode=${mode} of the database's URI is not known: disable, allow, prefer, require, verify-ca or verify-full.`,
      );
  }
}

function versions(parameters: PostgresAddress["parameters"]): ConnectionOptions {
  const version = (name: string) => parameters[name]?.replace(/^tlsv/i, "TLSv") as SecureVersion | undefined;
  const [least, most] = [version("ssl_min_protocol_version"), version("ssl_max_protocol_version")];
  return {
    ...(least === undefined ? {} : { minVersion: least }),
    ...(most === undefined ? {} : { maxVersion: most }),
  };
}

/** What of the server's certificate is checked: who issued it, where a root is there, or in any case; its name too. */
type Check = "if possible" | "issuer" | "name";

function options(
  check: Check,
  said: (setting: Setting) => string | undefined,
  folder: string,
  passphrase: string | undefined,
): ConnectionOptions {
  const made: ConnectionOptions = {};
  for (const setting of ["sslrootcert", "sslcrl", "sslcert", "sslkey"] as const) {
    const [option, name] = FILES[setting];
    const path = said(setting);
    if (setting === "sslrootcert" && path === SYSTEM) made.ca = getCACertificates("system");
    else if (path !== undefined && path !== "") made[option] = read(setting, path);
    else if (existsSync(join(folder, name))) made[option] = read(setting, join(folder, name));
  }
  if (made.ca === undefined && check !== "if possible") {
    throw new OperatorError(
      `sslmode=verify-${check === "name" ? "full" : "ca"} of the database's URI needs the certificate of who issued the server's: ` +
        `give sslrootcert=/path/to/root.crt, or put it in ${join(folder, FILES.sslrootcert[1])}` +
        `${check === "name" ? ", or give sslrootcert=system for those that the machine trusts" : ""}.`,
    );
  }
  if (made.cert !== undefined && made.key === undefined)
    throw new OperatorError(
      "sslcert of the database's URI needs the key of that certificate: give sslkey=/path/to/it.",
    );
  // A key alone is no certificate to show.
  if (made.cert === undefined) delete made.key;
  if (made.ca === undefined) delete made.crl;
  if (passphrase !== undefined) made.passphrase = passphrase;
  made.rejectUnauthorized = made.ca !== undefined;
  if (check !== "name") made.checkServerIdentity = () => undefined;
  return made;
}

function read(setting: Setting, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OperatorError(`${setting} of the database's URI cannot be read: ${messageOf(error)}`);
  }
}
