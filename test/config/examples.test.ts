/**
 * Every example configuration loads, its authenticators' arguments included, and means what it says.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadWhole } from "../../src/cli/config/check.ts";
import type { Config } from "../../src/config/model.ts";
import { IDP_CERT } from "../support/saml-keys.ts";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "example_configs");
const KEY = "0123456789abcdef0123456789abcdef";

const ENV = {
  TILED_KEY: KEY,
  TILED_SECRET: KEY,
  TILED_SECRET_BEFORE: `${KEY}0`,
  ALICE_PASSWORD: "secret1",
  BOB_PASSWORD: "secret2",
  CARA_PASSWORD: "secret3",
  PGPASSWORD: "hunter2",
  ORCID_CLIENT_ID: "APP-LAB00001",
  ORCID_CLIENT_SECRET: "hunter3",
  GOOGLE_CLIENT_ID: "1.apps.googleusercontent.com",
  GOOGLE_CLIENT_SECRET: "hunter4",
  LDAP_PASSWORD: "hunter8",
  KEYCLOAK_CLIENT_SECRET: "hunter5",
  SAML_IDP_CERTIFICATE: IDP_CERT,
  GLOBUS_CLIENT_ID: "3f1b5a2e-0000-4000-8000-00000000000c",
  GLOBUS_CLIENT_SECRET: "hunter6",
  CILOGON_CLIENT_ID: "cilogon:/client_id/1",
  CILOGON_CLIENT_SECRET: "hunter7",
};

interface Expected {
  readonly authenticators: readonly string[];
  readonly anonymous: boolean;
  readonly warnings?: number;
  readonly trees?: number;
  readonly also?: (config: Config) => void;
}

/** With HTTPS in front, whose proxy says where people are. */
function proxied({ server }: Config): void {
  assert.match(server.publicUrl ?? "", /^https:/);
  assert.deepEqual(server.trustedProxies, ["127.0.0.1"]);
}

const EXAMPLES: Readonly<Record<string, Expected>> = {
  "single_user.yml": {
    authenticators: [],
    anonymous: false,
    also: ({ authentication }) => assert.equal(authentication.singleUserApiKey?.reveal(), KEY),
  },
  "public.yml": { authenticators: [], anonymous: true },
  "multi_user_toy.yml": {
    authenticators: ["tiled.authenticators:DictionaryAuthenticator"],
    anonymous: false,
    // Neither a database nor keys that outlive the process.
    warnings: 2,
    also: ({ authentication }) => assert.deepEqual(authentication.admins, [{ provider: "toy", id: "alice" }]),
  },
  "mixed.yml": {
    authenticators: ["tiled.authenticators:DictionaryAuthenticator"],
    anonymous: true,
    also: ({ database, allowOrigins }) => {
      assert.equal(database.uri?.reveal(), "sqlite:///tiled.db");
      assert.deepEqual(allowOrigins, ["https://app.example.org"]);
    },
  },
  "partly_public.yml": {
    authenticators: ["tiled.authenticators:DictionaryAuthenticator"],
    anonymous: true,
    trees: 2,
    also: ({ trees, accessControl }) => {
      assert.deepEqual(
        trees.map(({ path, accessTags }) => [path, accessTags]),
        [
          ["/open", ["public"]],
          ["/chemistry", ["chemistry"]],
        ],
      );
      assert.equal(accessControl?.args["tag_definitions"], "./tag_definitions.yml");
    },
  },
  "local_accounts.yml": {
    authenticators: ["tiled_auth:LocalAuthenticator"],
    anonymous: false,
    also: ({ database }) => assert.equal(database.uri?.reveal(), "sqlite:////var/lib/tiled/tiled.db"),
  },
  "openldap.yml": { authenticators: ["tiled.authenticators:LDAPAuthenticator"], anonymous: false },
  "active_directory.yml": { authenticators: ["tiled.authenticators:LDAPAuthenticator"], anonymous: false },
  "freeipa.yml": { authenticators: ["tiled.authenticators:LDAPAuthenticator"], anonymous: false },
  "pam.yml": {
    authenticators: ["tiled.authenticators:PAMAuthenticator"],
    anonymous: false,
    also: ({ authentication }) => {
      assert.equal(authentication.accessTokenMaxAge, 900);
      assert.equal(authentication.refreshTokenMaxAge, 604_800);
      assert.equal(authentication.sessionMaxAge, 31_536_000);
    },
  },
  "postgresql.yml": {
    authenticators: ["tiled.authenticators:PAMAuthenticator"],
    anonymous: false,
    also: ({ authentication, database }) => {
      assert.equal(database.uri?.reveal(), "postgresql://tiled:hunter2@db.example.org:5432/tiled");
      assert.deepEqual(
        authentication.secretKeys?.map((key) => key.reveal()),
        [KEY, `${KEY}0`],
      );
    },
  },
  "own_authenticator.yml": { authenticators: ["./my_auth.js:MyAuthenticator"], anonymous: false },
  "behind_proxy.yml": {
    authenticators: ["tiled.authenticators:PAMAuthenticator"],
    anonymous: false,
    also: ({ server }) => {
      assert.equal(server.publicUrl, "https://tiled.example.org");
      assert.deepEqual(server.trustedProxies, ["127.0.0.1", "10.0.0.0/8"]);
    },
  },
  "account_host.yml": {
    authenticators: ["tiled.authenticators:OIDCAuthenticator"],
    anonymous: false,
    trees: 0,
    also: (config) => {
      proxied(config);
      assert.equal(config.server.accountUrl, "https://account.example.org");
      assert.equal(config.upstreams.length, 1);
    },
  },
  "orcid.yml": {
    authenticators: ["tiled.authenticators:OIDCAuthenticator"],
    anonymous: false,
    also: (config) => {
      proxied(config);
      const { authentication } = config;
      assert.equal(authentication.providers[0]?.args["client_id"], "APP-LAB00001");
      assert.deepEqual(authentication.admins, [{ provider: "orcid", id: "0000-0002-1825-0097" }]);
    },
  },
  "google.yml": {
    authenticators: ["tiled.authenticators:OIDCAuthenticator"],
    anonymous: false,
    also: (config) => {
      proxied(config);
      const { authentication } = config;
      assert.deepEqual(authentication.admins, [{ provider: "google", id: "104729364550912345678" }]);
    },
  },
  "keycloak.yml": {
    authenticators: ["tiled.authenticators:OIDCAuthenticator"],
    anonymous: false,
    also: proxied,
  },
  "saml.yml": {
    authenticators: ["tiled.authenticators:SAMLAuthenticator"],
    anonymous: false,
    also: proxied,
  },
  "globus.yml": {
    authenticators: ["tiled.authenticators:OIDCAuthenticator"],
    anonymous: false,
    also: proxied,
  },
  "cilogon.yml": {
    authenticators: ["tiled.authenticators:OIDCAuthenticator"],
    anonymous: false,
    also: proxied,
  },
  "several_providers.yml": {
    authenticators: [
      "tiled.authenticators:OIDCAuthenticator",
      "tiled.authenticators:OIDCAuthenticator",
      "tiled.authenticators:PAMAuthenticator",
    ],
    anonymous: false,
  },
};

function load(name: string, env: Readonly<Record<string, string>>): Promise<Config> {
  return loadWhole(join(FOLDER, name), { env, out: () => {}, err: () => {} });
}

describe("the example configurations", () => {
  it("are all here, and in their README", () => {
    const files = readdirSync(FOLDER).filter(
      (name) => name.endsWith(".yml") && name !== "tag_definitions.yml",
    );
    assert.deepEqual(files.sort(), Object.keys(EXAMPLES).sort());
    const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
    for (const name of files) assert.ok(readme.includes(`[${name}](${name})`), name);
  });

  for (const [name, expected] of Object.entries(EXAMPLES)) {
    it(`${name} loads`, async () => {
      const config = await load(name, ENV);
      const { providers, allowAnonymousAccess } = config.authentication;
      assert.deepEqual(
        providers.map(({ authenticator }) => authenticator),
        expected.authenticators,
      );
      assert.equal(allowAnonymousAccess, expected.anonymous);
      assert.equal(config.warnings.length, expected.warnings ?? 0, config.warnings.join("\n"));
      assert.equal(config.trees.length, expected.trees ?? 1);
      expected.also?.(config);
    });

    it(`${name} stops the start where one of its variables is not set`, async () => {
      const text = readFileSync(join(FOLDER, name), "utf8").replaceAll(/#.*/g, "");
      const used = Object.keys(ENV).filter((variable) => new RegExp(`\\$\\{?${variable}\\b`).test(text));
      for (const variable of used) {
        const { [variable as keyof typeof ENV]: _unset, ...rest } = ENV;
        await assert.rejects(
          load(name, rest),
          new RegExp(`the environment variable '${variable}' is not set`),
        );
      }
    });
  }
});
