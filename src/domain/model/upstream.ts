/**
 * A server behind this one: `config/upstreams.ts` reads it, `http/gateway` passes requests on to it.
 */
import type { Secret } from "../../lib/secrets.ts";
import type { Scope } from "./scopes.ts";

export interface Upstream {
  /** Below the root: "" or "/beamline". */
  readonly prefix: string;
  /** In lower case, perhaps with a port; null: every host that no other upstream has. */
  readonly host: string | null;
  /** Without a slash at its end. */
  readonly url: string;
  /** Seconds of silence. */
  readonly timeout: number;
  /** A Tiled on this server's database, which knows the API keys itself. */
  readonly sharesDatabase: boolean;
  /** Null: as its about document says. */
  readonly kind: "tiled" | "http" | null;
  /** Of kind `http`: scopes that a request needs; null: a credential with every scope. */
  readonly requires: { readonly read: readonly Scope[] | null; readonly write: readonly Scope[] | null };
  /** Of kind `http`: the upstream checks scopes itself. */
  readonly enforcesScopes: boolean;
  /** Of kind `http`: signs the tokens that it is sent; null: it gets none. */
  readonly tokenKey: Secret | null;
  /** Below the prefix, without a slash at the end; "": all. Null: those of a Tiled, if it is one. */
  readonly trustedPages: readonly string[] | null;
  /** Requests under way at once. */
  readonly maxConnections: number;
  /** Open WebSockets. */
  readonly maxStreams: number;
}
