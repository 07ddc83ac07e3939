/**
 * PostgreSQL URIs: SQLAlchemy's form, and libpq's with several hosts (PostgreSQL's manual, "Connection URIs"). A host that begins
 * with a slash is the folder of a Unix socket, percent-encoded or in the parameter `host`.
 */
import { OperatorError } from "../errors.ts";
import { parseOptions } from "./postgres-options.ts";
import { ADVICE, PARAMETERS } from "./postgres-parameters.ts";
import { checkParameters, decode, readQuery, splitOnce } from "./text.ts";

/** One host of a URI. Undefined parts come from libpq's environment variables and defaults. */
export interface PostgresHost {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** A parsed PostgreSQL URI. */
export interface PostgresAddress {
  readonly kind: "postgresql";
  /** At least one, in the order to try them. */
  readonly hosts: readonly PostgresHost[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  /** The URI without the password, for messages. */
  readonly shown: string;
}

const UNREADABLE =
  "The host or the port of the PostgreSQL URI is invalid. Write postgresql://user:password@host:5432/name.";

/** Parses the part of a URI after `://`. Throws an OperatorError that does not repeat the password. */
export function parsePostgres(rest: string): PostgresAddress {
  // Up to the first @, so that a password may contain any other character.
  const [userinfo = "", user = "", password] = /^([^:/@]*)(?::([^@]*))?@/.exec(rest) ?? [];
  const [location, query = ""] = splitOnce(rest.slice(userinfo.length), "?");
  const [authority, name = ""] = splitOnce(location, "/");
  // An @ after a slash may also belong to a password that contains both.
  if (location.includes("@")) {
    throw new OperatorError(
      "The PostgreSQL URI has more than one @. Write %40 for an @ in a user name or password.",
    );
  }
  const parameters = readQuery(query, { host: ",", port: ",", options: " " });
  checkParameters(parameters, PARAMETERS, "PostgreSQL", ADVICE);
  const hosts = hostsOf(authority, parameters);
  const given = (text: string | undefined, key: string) => {
    if (text === undefined || text === "") return parameters[key] || undefined;
    if (parameters[key] !== undefined) throw twice(key);
    return decode(text);
  };
  const [owner, database] = [given(user, "user"), given(name, "dbname")];
  return {
    kind: "postgresql",
    hosts,
    user: owner,
    password: given(password, "password"),
    database,
    parameters,
    shown: shown(owner, hosts, database, parameters["options"]),
  };
}

/** The hosts before the path, or else those of the parameters, which is SQLAlchemy's form for several hosts. */
function hostsOf(authority: string, parameters: Readonly<Record<string, string>>): readonly PostgresHost[] {
  const [names, ports] = [parameters["host"] ?? "", parameters["port"] ?? ""];
  const named = authority !== "" && !/^:\d*$/.test(authority);
  if (named && names !== "") throw twice("host");
  const hosts = (named ? authority : names || authority).split(",").map(hostOf);
  if (hosts.length > 1 && hosts.some(({ host }) => host === undefined)) throw new OperatorError(UNREADABLE);
  if (ports === "") return hosts;
  if (hosts.some(({ port }) => port !== undefined)) throw twice("port");
  const numbers = ports.split(",").map((text) => (text === "" ? undefined : portOf(text)));
  if (numbers.length !== 1 && numbers.length !== hosts.length) {
    throw new OperatorError(
      `The PostgreSQL URI has ${hosts.length} hosts and ${numbers.length} ports. Write one port, or one for each host.`,
    );
  }
  return hosts.map(({ host }, index) => ({
    host,
    port: numbers.length === 1 ? numbers[0] : numbers[index],
  }));
}

function twice(key: string): OperatorError {
  return new OperatorError(
    `The PostgreSQL URI has the ${key} twice: before the ? and as the parameter '${key}'.`,
  );
}

function hostOf(place: string): PostgresHost {
  // The folder of a socket, from the parameter `host`.
  if (place.startsWith("/")) {
    const [, folder = place, digits] = /^(.+?)(?::(\d+))?$/.exec(place) ?? [];
    return { host: folder, port: digits === undefined ? undefined : portOf(digits) };
  }
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:[\]]*))(?::(\d*))?$/.exec(place) ?? [];
  if (bracketed === undefined && plain === undefined) throw new OperatorError(UNREADABLE);
  const host = bracketed ?? decode(plain ?? "");
  if (/[\s@]/.test(host)) throw new OperatorError(UNREADABLE);
  return { host: host || undefined, port: digits ? portOf(digits) : undefined };
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new OperatorError(UNREADABLE);
  return port;
}

/** The URI without the password. It includes the schema, since messages suggest it as a command's argument. */
function shown(
  user: string | undefined,
  hosts: readonly PostgresHost[],
  database: string | undefined,
  options: string | undefined,
): string {
  const places = hosts.map(({ host = "", port }) => {
    const name = host.includes(":") && !host.startsWith("/") ? `[${host}]` : host.replaceAll("/", "%2F");
    return `${name}${port === undefined ? "" : `:${port}`}`;
  });
  const userinfo = user === undefined ? "" : `${encodeURIComponent(user)}@`;
  const settings = options === undefined ? [] : parseOptions(options);
  const path = Array.isArray(settings) ? settings.find(({ name }) => name === "search_path") : undefined;
  const schema =
    path === undefined
      ? ""
      : `?options=${encodeURIComponent(`-csearch_path=${path.value.replaceAll(/[\\\s]/g, "\\$&")}`)}`;
  return `postgresql://${userinfo}${places.join(",")}/${database ?? ""}${schema}`;
}
