/**
 * The configuration as the rest of the program sees it: checked, interpolated, with all defaults.
 * `schema.ts` describes the file, `load.ts` makes one of these from it.
 */

import type { CaveSettings } from "../domain/model/cave.ts";
import type { IdentityRef } from "../domain/model/entities.ts";
import type { Upstream } from "../domain/model/upstream.ts";
import type { Limit } from "../domain/ports/failures.ts";
import type { LoginLimit } from "../domain/throttling/login-budget.ts";
import type { Secret } from "../lib/secrets.ts";
import type { PolicyEntry, ProviderEntry } from "../plugins/entries.ts";
import type { ConfigPlace, ConfigProblem } from "../yaml/problems.ts";

/** Places of settings that a start can fail on. `file` is "" for a default and for an option of the command. */
export type Places = Readonly<Record<"host" | "port" | "cert" | "key" | "logo" | "database", ConfigPlace>>;

export interface DatabaseConfig {
  /** null: in memory. A SQLite path is absolute or relative to the working directory, as the reference reads it. */
  readonly uri: Secret | null;
  readonly initIfNotExists: boolean;
  readonly poolSize: number;
  readonly maxOverflow: number;
  readonly poolPrePing: boolean;
  readonly exclusiveWriter: boolean;
}

export interface TreeConfig {
  readonly path: string;
  readonly tree: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The tags of the root, and of entries below it without tags of their own; null: the tree does not use tags. */
  readonly accessTags: readonly string[] | null;
  readonly place: ConfigPlace;
}

/** A server behind this one, and the place of its entry. */
export interface UpstreamConfig extends Upstream {
  readonly place: ConfigPlace;
}

export interface AuthenticationConfig {
  readonly providers: readonly ProviderEntry[];
  readonly admins: readonly IdentityRef[];
  /** Groups whose members are administrators, by their names in the session state. */
  readonly adminGroups: readonly { readonly provider: string; readonly group: string }[];
  /** The first signs, all verify. Null: made at the start, so tokens end with the process. */
  readonly secretKeys: readonly Secret[] | null;
  readonly allowAnonymousAccess: boolean;
  /** Null: made at the start, if the mode needs one. */
  readonly singleUserApiKey: Secret | null;
  /** Seconds, all three. */
  readonly accessTokenMaxAge: number;
  readonly refreshTokenMaxAge: number;
  readonly sessionMaxAge: number;
  readonly refreshTokenRotation: boolean;
  /** Seconds. */
  readonly refreshTokenGrace: number;
  readonly sessionLimit: number;
  readonly apiKeyLimit: number;
  readonly loginBudget: LoginLimit | false;
  readonly loginThrottle: { readonly account: Limit; readonly address: Limit } | false;
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Without a slash at the end; null: links are built from the request. */
  readonly publicUrl: string | null;
  /** The origin of the pages for people; null: they are on every host. */
  readonly accountUrl: string | null;
  /** Addresses and CIDR blocks; `["*"]`: all. */
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** In lower case, perhaps with a port: both. */
  readonly hosts: readonly string[];
  readonly verifyHosts: readonly string[];
  /** Bytes, both. */
  readonly bodyLimit: number;
  readonly headerLimit: number;
  /** "" or "/prefix". */
  readonly rootPath: string;
}

export interface CaveConfig {
  /** Where clients find this server: an origin, or with a path; no slash at the end. */
  readonly serverAddress: string;
  readonly rules: CaveSettings;
  /** Null if it cannot be read again. */
  readonly source: ConfigSource | null;
}

/** Where a configuration was read from, for a reload. */
export interface ConfigSource {
  /** Files whose change may change the rules. */
  readonly files: readonly string[];
  /** Of each top-level key's value, to notice changes. The values may be secrets. */
  readonly digests: ReadonlyMap<string, string>;
  /** Reads it again in the same way and with the same environment, in a thread of its own. */
  read(signal: AbortSignal): Promise<Reread>;
}

/** What was read again, as far as it can be: what a running server takes from it, and what it compares. */
export interface Reread extends Omit<ConfigSource, "read"> {
  /** Null without the section. Must not be used while there are problems. */
  readonly cave: Omit<CaveConfig, "source"> | null;
  readonly problems: readonly ConfigProblem[];
}

export interface Config {
  readonly server: ServerConfig;
  readonly authentication: AuthenticationConfig;
  readonly database: DatabaseConfig;
  readonly trees: readonly TreeConfig[];
  readonly upstreams: readonly UpstreamConfig[];
  readonly accessControl: PolicyEntry | null;
  /** Null: the server does not speak CAVE. */
  readonly cave: CaveConfig | null;
  readonly allowOrigins: readonly string[];
  readonly metrics: { readonly prometheus: boolean };
  readonly pages: { readonly title: string; readonly logo: string | null; readonly contact: string | null };
  readonly log: {
    readonly format: "auto" | "pretty" | "json";
    /** pino's. */
    readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  };
  readonly audit: { readonly retentionDays: number | null };
  readonly places: Places;
  /** The folder that relative module paths start from. */
  readonly directory: string;
  /** For the log: keys without effect here, and other warnings. */
  readonly warnings: readonly string[];
}
