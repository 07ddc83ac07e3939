/**
 * Encryption of connections to PostgreSQL: `sslmode` and its files, from the URI, the environment and `~/.postgresql`, as in
 * libpq (PostgreSQL's manual, "SSL Support"). `ssl` is asyncpg's name for `sslmode`.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, getCACertificates, type SecureVersion } from "node:tls";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import { OperatorError } from "../../errors.ts";
import { messageOf } from "../base/errors.ts";

/** TLS options, or false for a plain connection. */
export type Encryption = false | ConnectionOptions;

/** Sources of settings other than the URI. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

type Setting = "sslmode" | "sslrootcert" | "sslcrl" | "sslcert" | "sslkey";

/** Value of `sslrootcert` for the machine's trusted certificates instead of a file. */
const SYSTEM = "system";

const FILES = {
  sslrootcert: ["ca", "root.crt"],
  sslcrl: ["crl", "root.crl"],
  sslcert: ["cert", "postgresql.crt"],
  sslkey: ["key", "postgresql.key"],
} as const;

/**
 * The ways to connect to a host: one, or a second to try if the first fails.
 * @throws OperatorError for an unknown `sslmode`, or a certificate file that is missing or unreadable
 */
export function encryptionOf(
  address: Pick<PostgresAddress, "parameters">,
  host: string,
  { environment, home }: Surroundings = { environment: process.env, home: homedir() },
): readonly [Encryption, Encryption?] {
  const lookUp = (setting: Setting) =>
    address.parameters[setting] || environment[`PG${setting.toUpperCase()}`];
  const system = lookUp("sslrootcert") === SYSTEM;
  const { sslmode, ssl } = address.parameters;
  const mode = sslmode || ssl || environment["PGSSLMODE"] || (system ? "verify-full" : "prefer");
  // A Unix socket is never encrypted, whatever the mode.
  if (host.startsWith("/")) return [false];
  const encrypted = (check: Check) => {
    if (system && check !== "name") {
      throw new OperatorError(
        `sslrootcert=system in the database's URI needs sslmode=verify-full, not ${mode}, because anyone can get a certificate that the machine trusts.`,
      );
    }
    return {
      ...options(check, lookUp, join(home, ".postgresql"), address.parameters["sslpassword"]),
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
        `sslmode=${mode} in the database's URI is unknown. Use disable, allow, prefer, require, verify-ca or verify-full.`,
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

/** What to check of the server's certificate: the issuer if a root certificate exists, the issuer always, or the name too. */
type Check = "if possible" | "issuer" | "name";

function options(
  check: Check,
  lookUp: (setting: Setting) => string | undefined,
  folder: string,
  passphrase: string | undefined,
): ConnectionOptions {
  const made: ConnectionOptions = {};
  for (const setting of ["sslrootcert", "sslcrl", "sslcert", "sslkey"] as const) {
    const [option, name] = FILES[setting];
    const path = lookUp(setting);
    if (setting === "sslrootcert" && path === SYSTEM) made.ca = getCACertificates("system");
    else if (path !== undefined && path !== "") made[option] = read(setting, path);
    else if (existsSync(join(folder, name))) made[option] = read(setting, join(folder, name));
  }
  if (made.ca === undefined && check !== "if possible") {
    throw new OperatorError(
      `sslmode=verify-${check === "name" ? "full" : "ca"} in the database's URI needs the certificate of the CA that issued the server's. ` +
        `Set sslrootcert=/path/to/root.crt, put it in ${join(folder, FILES.sslrootcert[1])}` +
        `${check === "name" ? ", or set sslrootcert=system for the CAs that the machine trusts" : ""}.`,
    );
  }
  if (made.cert !== undefined && made.key === undefined)
    throw new OperatorError(
      "sslcert in the database's URI needs the key of that certificate. Set sslkey=/path/to/it.",
    );
  // A key is useless without its certificate.
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
    throw new OperatorError(`${setting} in the database's URI cannot be read: ${messageOf(error)}`);
  }
}
