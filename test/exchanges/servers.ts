/**
 * The servers that scenes are played at, as configurations for both sides.
 */
import { SECRET_KEY, singleUser, TREE, toy } from "../support/toy.ts";
import type { Scene } from "./exchange.ts";

/** The public server is started without a file by the reference: an empty `authentication` means the same. */
const SERVERS: Readonly<Record<Scene["server"], object>> = {
  toy: toy(),
  dummy: toy({
    authentication: {
      providers: [{ provider: "toy", authenticator: "tiled.authenticators:DummyAuthenticator" }],
      tiled_admins: [],
    },
  }),
  "single user": singleUser(),
  public: {
    authentication: { allow_anonymous_access: true, single_user_api_key: "secret" },
    trees: [{ path: "/", tree: TREE }],
  },
};

export function configOf({ server, change = {} }: Scene): {
  readonly config: object;
  readonly secretKey: string;
} {
  const config: Record<string, object> = { ...SERVERS[server] };
  for (const [section, value] of Object.entries(change)) {
    config[section] = Array.isArray(value) ? value : { ...config[section], ...value };
  }
  const keys = (config["authentication"] as { secret_keys?: readonly string[] }).secret_keys;
  return { config, secretKey: keys?.[0] ?? SECRET_KEY };
}
