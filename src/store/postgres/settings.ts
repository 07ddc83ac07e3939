/**
 * Connection settings from a PostgreSQL URI's parameters, with libpq's environment variables as defaults. Encryption is in
 * `tls.ts`, the password file in `passfile.ts`.
 */

import type { PostgresAddress, PostgresHost } from "../../database-uri/postgres.ts";
import { parseOptions, type Setting } from "../../database-uri/postgres-options.ts";
import { PARAMETERS } from "../../database-uri/postgres-parameters.ts";
import { OperatorError } from "../../errors.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of a connection, apart from encryption and password. */
export interface ConnectionSettings {
  readonly hosts: readonly (PostgresHost & { readonly host: string })[];
  /** Which servers to use (`target_session_attrs`). */
  readonly target: "any" | "read-write" | "primary";
  readonly applicationName: string;
  /** Milliseconds, like all times here. */
  readonly connectTimeout: number;
  readonly statementTimeout: number | undefined;
  readonly keepAlive: boolean;
  readonly keepAliveIdle: number;
  /** The text to send; `optionSettings` holds the settings in it. */
  readonly options: string | undefined;
  readonly optionSettings: readonly Setting[];
  readonly channelBinding: "disable" | "prefer" | "require" | undefined;
  readonly directTls: boolean;
}

/** Default time limit for making a connection, in milliseconds. */
const CONNECT_TIMEOUT = 5000;

/** Settings of a URI. Throws an OperatorError for an environment variable with an invalid value. */
export function connectionSettings(
  address: PostgresAddress,
  environment: Environment = process.env,
): ConnectionSettings {
  const { parameters } = address;
  const lookUp = (name: string, variable: string) =>
    parameters[name] || checked(name, environment[variable], variable);
  const seconds = (text: string | undefined) => (text === undefined ? undefined : Number(text) * 1000);
  const options = lookUp("options", "PGOPTIONS");
  const settings = options === undefined ? [] : parseOptions(options);
  return {
    hosts: hostsOf(address.hosts, environment),
    target: (lookUp("target_session_attrs", "PGTARGETSESSIONATTRS")?.toLowerCase() ??
      "any") as ConnectionSettings["target"],
    applicationName:
      lookUp("application_name", "PGAPPNAME") || parameters["fallback_application_name"] || "tiled-auth",
    connectTimeout:
      seconds(parameters["timeout"] ?? lookUp("connect_timeout", "PGCONNECT_TIMEOUT")) ?? CONNECT_TIMEOUT,
    statementTimeout: seconds(parameters["command_timeout"]),
    keepAlive: parameters["keepalives"] !== "0",
    keepAliveIdle: seconds(parameters["keepalives_idle"]) ?? 0,
    options,
    optionSettings: typeof settings === "string" ? [] : settings,
    channelBinding: lookUp(
      "channel_binding",
      "PGCHANNELBINDING",
    )?.toLowerCase() as ConnectionSettings["channelBinding"],
    directTls: lookUp("sslnegotiation", "PGSSLNEGOTIATION")?.toLowerCase() === "direct",
  };
}

/** An environment variable accepts the same values as its parameter. */
function checked(name: string, value: string | undefined, variable: string): string | undefined {
  if (value === undefined || value === "") return undefined;
  const wrong = PARAMETERS[name]?.(value);
  if (wrong !== undefined) throw new OperatorError(`The environment variable ${variable}: ${wrong}.`);
  return value;
}

function hostsOf(hosts: readonly PostgresHost[], environment: Environment): ConnectionSettings["hosts"] {
  const names = (environment["PGHOST"] || "localhost").split(",");
  const ports = (environment["PGPORT"] || "").split(",");
  const [only] = hosts;
  const all =
    hosts.length === 1 && only?.host === undefined
      ? names.map((host) => ({ host, port: only?.port }))
      : hosts.map(({ host, port }) => ({ host: host ?? "localhost", port }));
  return all.map(({ host, port }, index) => ({
    host,
    port: port ?? (Number(ports[ports.length === 1 ? 0 : index]) || undefined),
  }));
}
