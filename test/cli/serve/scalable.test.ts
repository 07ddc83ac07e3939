import assert from "node:assert/strict";
import { test } from "node:test";
import { checkScalable } from "../../../src/cli/serve/scalable.ts";
import { configFromObject } from "../../../src/config/load.ts";

const TREES = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];
const PROVIDERS = [{ provider: "toy", authenticator: "tiled.authenticators:DummyAuthenticator" }];
const SECRET_KEYS = ["0123456789abcdef0123456789abcdef"];

function check(config: object): void {
  checkScalable(configFromObject({ trees: TREES, ...config }, {}));
}

test("without providers the processes need a common API key", () => {
  assert.throws(() => check({}), /authentication\.single_user_api_key/);
  check({ authentication: { single_user_api_key: "secret" } });
});

test("with providers they need common secret keys and a common database, and all that lacks is named", () => {
  assert.throws(() => check({ authentication: { providers: PROVIDERS } }), /secret_keys[\s\S]*database\.uri/);
  const authentication = { providers: PROVIDERS, secret_keys: SECRET_KEYS };
  for (const uri of ["sqlite://", "sqlite:///:memory:", "sqlite:////srv/tiled.db"]) {
    assert.throws(() => check({ authentication, database: { uri } }), {
      exitCode: 1,
      message: /lacks:\n {2}database\.uri[^\n]*$/,
    });
  }
  check({ authentication, database: { uri: "postgresql://localhost/tiled" } });
});
