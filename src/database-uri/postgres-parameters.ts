/**
 * The parameters of PostgreSQL URIs: libpq's (PostgreSQL's manual, "Parameter Key Words") and those of SQLAlchemy's drivers. Each
 * takes effect, or matches the fixed behaviour, or is refused with an alternative. `store/postgres/settings.ts` applies them, and
 * `store/postgres/tls.ts` those of encryption.
 */

import { parseOptions } from "./postgres-options.ts";
import { any, oneOf, only, type ParameterTable, refused, seconds } from "./text.ts";

const READS_ONLY =
  "logins are written to this database, so it must accept writes. Use any, read-write or primary";
const KERBEROS = "Kerberos (GSSAPI) is not supported here. Leave it out";
const CACHES = "this server does not cache prepared statements. Leave it out";
const NODE = "the interval and number of probes cannot be set here. Use keepalives_idle and connect_timeout";

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/** Value checks by parameter. */
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
  /** asyncpg's names, as is `command_timeout`. */
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
  load_balance_hosts: only(["disable"], "hosts are tried in order. Leave it out"),
  sslmode: oneOf(...SSL_MODES),
  /** asyncpg's name for `sslmode`. */
  ssl: oneOf(...SSL_MODES, "true", "false", "1", "0"),
  sslrootcert: any,
  sslcrl: any,
  sslcert: any,
  sslkey: any,
  sslpassword: any,
  sslnegotiation: oneOf("postgres", "direct"),
  ssl_min_protocol_version: oneOf("tlsv1.2", "tlsv1.3"),
  ssl_max_protocol_version: oneOf("tlsv1.2", "tlsv1.3"),
  sslcompression: only(["0"], "TLS compression is not supported. Leave it out"),
  sslsni: only(["1"], "the host name is always sent. Leave it out"),
  sslcertmode: only(["allow"], "a client certificate is sent if sslcert and sslkey are set. Leave it out"),
  sslcrldir: refused("use a single file of revoked certificates: sslcrl=/path/to/root.crl"),
  sslkeylogfile: refused("TLS keys are never logged. Leave it out"),
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
  client_encoding: only(["utf8", "utf-8", "unicode", "auto"], "text is always sent as UTF-8. Leave it out"),
  replication: only(["false", "off", "no", "0"], "replication connections are not supported. Leave it out"),
  prepared_statement_cache_size: only(["0"], CACHES),
  statement_cache_size: only(["0"], CACHES),
  max_cached_statement_lifetime: only(["0"], CACHES),
  max_cacheable_statement_size: only(["0"], CACHES),
  prepare_threshold: only(["none", "0"], CACHES),
  prepared_statement_name_func: refused(CACHES),
  async_fallback: refused("it configures a Python driver, which is not used here. Leave it out"),
  server_settings: refused("write settings as options: options=-csearch_path%3Dauth"),
};

const SCHEMA = "Write a schema as options=-csearch_path%3DNAME.";
const POOL = "Set the size of the pool with database.pool_size and database.max_overflow.";

/** Advice for parameter names of other programs. */
export const ADVICE: Readonly<Record<string, string>> = {
  search_path: SCHEMA,
  schema: SCHEMA,
  currentSchema: SCHEMA,
  pool_size: POOL,
  max_overflow: POOL,
  connection_limit: POOL,
  pool_timeout: POOL,
  pgbouncer: "Leave it out: PgBouncer is detected automatically.",
  statement_timeout: "Write it as options=-cstatement_timeout%3D5s, or command_timeout=5.",
};
