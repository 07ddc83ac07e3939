/**
 * The servers that scenes are played at, as configurations for both sides, and the provider that stands in for those
 * elsewhere.
 */

import type { Cleanup } from "../support/folders.ts";
import { CLIENT_ID, CLIENT_SECRET, HostileProvider } from "../support/hostile-provider.ts";
import { SECRET_KEY, singleUser, TREE, toy } from "../support/toy.ts";
import type { Scene } from "./exchange.ts";

/** The public server is started without a file by the reference: an empty `authentication` means the same. */
const SERVERS: Readonly<Record<Scene["server"], (other: string) => object>> = {
  toy: () => toy(),
  dummy: () =>
    toy({
      authentication: {
        providers: [{ provider: "toy", authenticator: "tiled.authenticators:DummyAuthenticator" }],
        tiled_admins: [],
      },
    }),
  "single user": () => singleUser(),
  public: () => ({
    authentication: { allow_anonymous_access: true, single_user_api_key: "secret" },
    trees: [{ path: "/", tree: TREE }],
  }),
  external: (other) =>
    elsewhere([
      ["orcid", "OIDCAuthenticator", client(other)],
      [
        "ui",
        "OIDCAuthenticator",
        {
          ...client(other),
          redirect_on_success: "https://ui.example/cb?x=1",
          redirect_on_failure: "https://ui.example/no",
        },
      ],
    ]),
  proxied: (other) =>
    elsewhere([["keycloak", "ProxiedOIDCAuthenticator", { ...client(other), device_flow_client_id: "cli" }]]),
};

function client(other: string): object {
  return {
    audience: CLIENT_ID,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    well_known_uri: `${other}/.well-known/openid-configuration`,
    confirmation_message: "You have logged in as {id}.",
  };
}

function elsewhere(providers: readonly (readonly [name: string, authenticator: string, args: object])[]) {
  return toy({
    authentication: {
      providers: providers.map(([provider, authenticator, args]) => ({
        provider,
        authenticator: `tiled.authenticators:${authenticator}`,
        args,
      })),
      tiled_admins: [],
    },
  });
}

export interface SceneConfig {
  readonly config: object;
  readonly secretKey: string;
  /** The provider's address; null: there are no external logins. */
  readonly other: string | null;
}

/** With the provider that the scene needs, started. */
export async function configOf(cleanup: Cleanup, { server, change = {} }: Scene): Promise<SceneConfig> {
  const other = server === "external" || server === "proxied" ? await provider(cleanup) : null;
  const config: Record<string, object> = { ...SERVERS[server](other ?? "") };
  for (const [section, value] of Object.entries(change)) {
    config[section] = Array.isArray(value) ? value : { ...config[section], ...value };
  }
  const keys = (config["authentication"] as { secret_keys?: readonly string[] }).secret_keys;
  return { config, secretKey: keys?.[0] ?? SECRET_KEY, other };
}

async function provider(cleanup: Cleanup): Promise<string> {
  const started = await HostileProvider.start(cleanup, { alg: "RS256", pkce: "optional" });
  started.document["id_token_signing_alg_values_supported"] = ["RS256"];
  return started.url;
}
