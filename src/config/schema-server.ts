/**
 * The schema of the sections `server`, `log` and `uvicorn`, which Tiled's configurations have in place of `server`.
 */
import { Type } from "typebox";
import { noEffect, optional, refused, section, text, whole } from "../yaml/schema-shapes.ts";

const host = () =>
  optional(text("host-name"), "The address to listen on; 0.0.0.0 or '::' for all", "127.0.0.1");
const port = () => optional(whole(0, 65_535), "The port to listen on; 0 takes any free one", 8000);
const proxies = (description: string) =>
  optional(Type.Union([Type.Array(text("address")), text("addresses")]), description);

export const server = section("Where the server listens, and how it is reached", {
  host: host(),
  port: port(),
  public_url: optional(
    text("web-address"),
    "The URL that users type, if requests show another one: the base of every link",
  ),
  account_url: optional(
    text("web-address"),
    "A separate host for login, account and device pages, which then share no origin with the content of upstreams; needs public_url",
  ),
  trusted_proxies: proxies(
    "Addresses of proxies whose X-Forwarded-For, -Host and -Proto count. Default: none",
  ),
  hosts: optional(
    Type.Array(text("host-port")),
    "Further host names of this server. Those of public_url, verify_hosts and trees, the machine's own, addresses, and names without a dot need not be listed",
  ),
  verify_hosts: optional(
    Type.Array(text("host-port")),
    "Hosts whose proxy asks /api/v1/auth/verify: a login may redirect back to them",
  ),
  tls: optional(
    section("Serve HTTPS", {
      cert: Type.String({
        format: "not-empty",
        description: "File with the certificate and its chain (PEM)",
      }),
      key: Type.String({ format: "not-empty", description: "File with the private key (PEM)" }),
    }),
    "Serve HTTPS with this certificate",
  ),
  body_limit: optional(
    whole(1024, 16_777_216),
    "Largest body of a request to an authentication route, in bytes",
    65_536,
  ),
  header_limit: optional(
    whole(8_192, 1_048_576),
    "Largest header of a request, cookies of other applications included, in bytes",
    32_768,
  ),
});

export const log = section("The log, on stderr", {
  format: optional(
    Type.Union([Type.Literal("auto"), Type.Literal("pretty"), Type.Literal("json")]),
    "pretty: lines for people; json: one JSON line a request; auto: pretty on a terminal, json elsewhere",
    "auto",
  ),
  level: optional(
    Type.Union([
      Type.Literal("trace"),
      Type.Literal("debug"),
      Type.Literal("info"),
      Type.Literal("warn"),
      Type.Literal("error"),
      Type.Literal("fatal"),
      Type.Literal("silent"),
    ]),
    "The lowest level to log; health checks, polling and the pages' files are at level debug",
    "info",
  ),
});

const TUNING = "tuning of uvicorn, which this server does not use";
const LOGS = "use the section log, or --log-format and --log-level";
const DEVELOPMENT = "for the development of Python applications";
const CLIENT_CERTIFICATES = "client certificates are not checked here; let a proxy in front do that";
const LISTENING = "this server listens only on a host and a port";

const tuning = [
  "backlog",
  "date_header",
  "h11_max_incomplete_event_size",
  "headers",
  "http",
  "http2",
  "interface",
  "lifespan",
  "limit_concurrency",
  "limit_max_requests",
  "limit_max_requests_jitter",
  "loop",
  "reset_contextvars",
  "server_header",
  "timeout_graceful_shutdown",
  "timeout_keep_alive",
  "timeout_notify",
  "timeout_worker_healthcheck",
  "ws",
  "ws_max_queue",
  "ws_max_size",
  "ws_per_message_deflate",
  "ws_ping_interval",
  "ws_ping_timeout",
] as const;
const logs = ["access_log", "log_config", "log_level", "use_colors"] as const;
const development = [
  "app_dir",
  "env_file",
  "factory",
  "reload",
  "reload_delay",
  "reload_dirs",
  "reload_excludes",
  "reload_includes",
] as const;

function all<Names extends readonly string[]>(names: Names, why: string) {
  return Object.fromEntries(names.map((name) => [name, noEffect(why)])) as Record<
    Names[number],
    ReturnType<typeof noEffect>
  >;
}

/** Open, as uvicorn's own list grows: an unknown key has no effect, unless it looks like a misspelled one. */
export const uvicorn = Type.Object(
  {
    host: host(),
    port: port(),
    root_path: optional(text("root-path"), "The path under which a proxy serves this server: '/tiled'", ""),
    ssl_keyfile: optional(text("not-empty"), "The same as server.tls.key"),
    ssl_certfile: optional(text("not-empty"), "The same as server.tls.cert"),
    proxy_headers: optional(
      Type.Boolean(),
      "false: no proxy is trusted, and forwarded_allow_ips has no effect",
    ),
    forwarded_allow_ips: proxies("The same as server.trusted_proxies"),
    workers: noEffect("this server is one process; start several on one PostgreSQL database instead"),
    ssl_version: noEffect("this server supports TLS 1.2 and 1.3"),
    ssl_ciphers: noEffect("Node.js chooses the ciphers"),
    ssl_keyfile_password: refused(
      "a private key with a password cannot be read here; decrypt it (openssl pkey), or terminate TLS in a proxy",
    ),
    ssl_ca_certs: refused(CLIENT_CERTIFICATES),
    ssl_cert_reqs: refused(CLIENT_CERTIFICATES),
    uds: refused(LISTENING),
    fd: refused(LISTENING),
    ssl_context_factory: refused("Python code cannot be loaded here; see server.tls"),
    app: refused("this server is not a Python application"),
    ...all(logs, LOGS),
    ...all(tuning, TUNING),
    ...all(development, DEVELOPMENT),
  },
  {
    description: "Settings of Tiled's web server, as far as they apply here",
    additionalProperties: true,
  },
);
