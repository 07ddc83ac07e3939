/**
 * The keys that the configuration of Tiled 0.2.20 knows: each has its effect, is accepted without one and says so, or is
 * refused with the reason.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, TREES, wrong } from "./support.ts";

const NO_EFFECT: Readonly<Record<string, string>> = {
  media_types: "{array: {application/x: 'm:f'}}",
  file_extensions: "{x: application/x}",
  response_bytesize_limit: "300000000",
  exact_count_limit: "100",
  specs: "[{spec: x, validator: 'm:f'}]",
  reject_undeclared_specs: "true",
  expose_raw_assets: "false",
  streaming_cache: "{uri: 'redis://:hunter2@h'}",
  webhooks: "{secret_keys: [hunter2]}",
  create_mount_nodes_if_not_exist: "true",
  catalog_pool_size: "5",
  storage_pool_size: "5",
  catalog_max_overflow: "10",
  storage_max_overflow: "10",
  object_cache: "{available_bytes: 0}",
};

const UVICORN_NO_EFFECT = [
  "access_log",
  "app_dir",
  "backlog",
  "date_header",
  "env_file",
  "factory",
  "h11_max_incomplete_event_size",
  "headers",
  "http",
  "http2",
  "interface",
  "lifespan",
  "limit_concurrency",
  "limit_max_requests",
  "limit_max_requests_jitter",
  "log_config",
  "log_level",
  "loop",
  "reload",
  "reload_delay",
  "reload_dirs",
  "reload_excludes",
  "reload_includes",
  "reset_contextvars",
  "server_header",
  "ssl_ciphers",
  "ssl_version",
  "timeout_graceful_shutdown",
  "timeout_keep_alive",
  "timeout_worker_healthcheck",
  "use_colors",
  "workers",
  "ws",
  "ws_max_queue",
  "ws_max_size",
  "ws_per_message_deflate",
  "ws_ping_interval",
  "ws_ping_timeout",
];

const UVICORN_REFUSED = [
  "app",
  "fd",
  "uds",
  "ssl_ca_certs",
  "ssl_cert_reqs",
  "ssl_context_factory",
  "ssl_keyfile_password",
];

/** One file with every key that has its effect, as the reference knows it. */
const EFFECTIVE = `authentication:
  providers: [{provider: toy, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {a: b}}}]
  tiled_admins: [{provider: toy, id: a}]
  secret_keys: ["0123456789abcdef0123456789abcdef"]
  allow_anonymous_access: true
  access_token_max_age: 900
  refresh_token_max_age: 604800
  session_max_age: 31536000
database: {uri: "sqlite:///x.db", init_if_not_exists: true, pool_size: 5, max_overflow: 10, pool_pre_ping: true}
trees: [{path: "/", tree: "tiled.examples.generated_minimal:tree", args: }]
access_control: {access_policy: "tiled.access_control.access_policies:DummyAccessPolicy", args: }
allow_origins: [https://a.org]
uvicorn: {host: 0.0.0.0, port: 8000, root_path: /x, proxy_headers: true, forwarded_allow_ips: 127.0.0.1, ssl_keyfile: k, ssl_certfile: c}
metrics: {prometheus: true}
`;

describe("the keys of Tiled's configuration", () => {
  it("those with their effect are taken without a word", () => {
    assert.deepEqual(load(EFFECTIVE).warnings, []);
  });

  for (const [key, value] of Object.entries(NO_EFFECT)) {
    it(`${key} has no effect, which is reported with the reason`, () => {
      const [line = "", ...others] = load(`${TREES}${key}: ${value}\n`).warnings;
      assert.deepEqual(others, []);
      assert.match(
        line,
        new RegExp(`^accepted and of no effect here: ${key} \\(.*config\\.yml:2\\): .{10,}`),
      );
      assert.doesNotMatch(line, /hunter2/);
    });
  }

  for (const key of UVICORN_NO_EFFECT) {
    it(`uvicorn.${key} has no effect`, () => {
      const [line = "", ...others] = load(`${TREES}uvicorn: {${key}: 1}\n`).warnings;
      assert.deepEqual(others, []);
      assert.match(line, new RegExp(`^accepted and of no effect here: uvicorn\\.${key} \\(.*:2\\): .{10,}`));
    });
  }

  for (const key of UVICORN_REFUSED) {
    it(`uvicorn.${key} is refused, with the reason`, () => {
      const [problem = "", ...others] = wrong(`${TREES}uvicorn: {${key}: hunter2}\n`);
      assert.deepEqual(others, []);
      assert.match(problem, new RegExp(`^2 uvicorn\\.${key}: not supported: .{20,}`));
    });
  }

  it("a key that uvicorn may have some day has no effect; one that is nearly ours is a mistake", () => {
    assert.match(
      load(`${TREES}uvicorn: {zz_future_option: 1}\n`).warnings[0] ?? "",
      /uvicorn\.zz_future_option \(.*\): not known here/,
    );
    assert.match(
      wrong(`${TREES}uvicorn: {ssl_keyfle: k}\n`)[0] ?? "",
      /^2 uvicorn\.ssl_keyfle: unknown key .* Did you mean 'ssl_keyfile'\?/,
    );
  });
});
