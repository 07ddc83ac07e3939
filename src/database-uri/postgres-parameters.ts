/**
 * The parameters of PostgreSQL URIs: libpq's (PostgreSQL's manual, "Parameter Key Words") and those of SQLAlchemy's drivers.
 * Each one takes effect, asks for what happens anyway, or is refused with the way on. What they amount to is in
 * `store/postgres/settings.ts`, and what concerns encryption in `store/postgres/tls.ts`.
 */

import { parseOptions } from "./postgres-options.ts";
import { any, oneOf, only, type ParameterTable, refused, seconds } from "./text.ts";

const READS_ONLY =
  "logins are written to this database, so it must accept writes. Use any, read-write or primary";
const KERBEROS = "Kerberos (GSSAPI) is not supported here. Leave it out";
const CACHES = "no statement is kept prepared here. Leave it out";
const NODE =
  "the interval and the number of probes cannot be set here. keepalives_idle can, and connect_timeout";

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

export const PARAMETERS: ParameterTable = {
  host: any,
  port: any,
  user: any,
  password: any,
  dbname: any,
  passfile: any,
  application_name: any,
  fallback_application_name: any,
  connect_timeout: seconds(1, 60),
  /** asyncpg's names. */
  timeout: seconds(1, 60),
  command_timeout: seconds(1, 600),
  keepalives: oneOf("0", "1"),
  keepalives_idle: seconds(0, 86_400),
  keepalives_interval: only(["0"], NODE),
  keepalives_count: only(["0"], NODE),
  tcp_user_timeout: only(["0"], NODE),
  options: (value) => {
    const parsed = parseOptions(value);
    return typeof parsed === "string" ? parsed : undefined;
  },
  target_session_attrs: (value) =>
    ["read-only", "standby", "prefer-standby"].includes(value.toLowerCase())
      ? READS_ONLY
      : oneOf("any", "read-write", "primary")(value),
  load_balance_hosts: only(["disable"], "hosts are tried in their order. Leave it out"),
  sslmode: oneOf(...SSL_MODES),
  /** asyncpg's. */
  ssl: oneOf(...SSL_MODES, "true", "false", "1", "0"),
  sslrootcert: any,
  sslcrl: any,
  sslcert: any,
  sslkey: any,
  sslpassword: any,
  sslnegotiation: oneOf("postgres", "direct"),
  ssl_min_protocol_version: oneOf("tlsv1.2", "tlsv1.3"),
  ssl_max_protocol_version: oneOf("tlsv1.2", "tlsv1.3"),
  sslcompression: only(["0"], "there is no compression of TLS. Leave it out"),
  sslsni: only(["1"], "the host's name is always sent. Leave it out"),
  sslcertmode: only(["allow"], "sslcert and sslkey say which certificate is shown. Leave it out"),
  sslcrldir: refused("give the list of revoked certificates as one file: sslcrl=/path/to/root.crl"),
  sslkeylogfile: refused("keys of connections are never written down. Leave it out"),
  channel_binding: oneOf("disable", "prefer", "require"),
  gssencmode: only(["disable", "prefer"], KERBEROS),
  gssdelegation: only(["0"], KERBEROS),
  gsslib: refused(KERBEROS),
  krbsrvname: refused(KERBEROS),
  require_auth: refused("use channel_binding=require, or sslmode=verify-full"),
  requirepeer: refused("the owner of the server process behind a socket is not checked here"),
  require_peer: refused("the owner of the server process behind a socket is not checked here"),
  hostaddr: refused("write the address as the host"),
  service: refused("write the values of that service into the URI"),
  servicefile: refused("write the values of that service into the URI"),
  client_encoding: only(["utf8", "utf-8", "unicode", "auto"], "texts are sent as UTF-8. Leave it out"),
  replication: only(["false", "off", "no", "0"], "this server does not replicate. Leave it out"),
  prepared_statement_cache_size: only(["0"], CACHES),
  statement_cache_size: only(["0"], CACHES),
  max_cached_statement_lifetime: only(["0"], CACHES),
  max_cacheable_statement_size: only(["0"], CACHES),
  prepare_threshold: only(["none", "0"], CACHES),
  prepared_statement_name_func: refused(CACHES),
  async_fallback: refused("it tunes a Python driver. Leave it out"),
  server_settings: refused("write settings as options: options=-csearch_path%3Dauth"),
};

const SCHEMA = "Write a schema as options=-csearch_path%3DNAME.";
const POOL = "The size of the pool is database.pool_size and database.max_overflow.";

/** Names of other programs. */
export const ADVICE: Readonly<Record<string, string>> = {
  search_path: SCHEMA,
  schema: SCHEMA,
  currentSchema: SCHEMA,
  pool_size: POOL,
  max_overflow: POOL,
  connection_limit: POOL,
  pool_timeout: POOL,
  pgbouncer: "Leave it out: a PgBouncer in between is found by itself.",
  statement_timeout: "Write it as options=-cstatement_timeout%3D5s, or command_timeout=5.",
};
