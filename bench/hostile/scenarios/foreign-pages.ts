/**
 * Foreign pages visited by people of one institute: each loads the start of a login as images, all from the institute's
 * address. A person's own login is timed meanwhile.
 */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { PASSWORDS, toy } from "../../../test/support/toy.ts";
import type { Count, Scenario, Target } from "../scenario.ts";

const AUTHORIZE = "/api/v1/auth/provider/orcid/authorize";
const SITE = { "sec-fetch-site": "cross-site", "sec-fetch-user": "?1" };
const IMAGE = { ...SITE, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
const NAVIGATION = { ...SITE, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const IMAGES = 5000;

const PASSWORD = {
  provider: "toy",
  authenticator: "tiled.authenticators:DictionaryAuthenticator",
  args: { users_to_passwords: PASSWORDS },
};

/** A closed port: no login of the attack reaches the provider. */
function orcid(): object {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    provider: "orcid",
    authenticator: "tiled.authenticators:OIDCAuthenticator",
    args: {
      client_id: "bench",
      client_secret: "a secret of no provider",
      token_uri: "http://127.0.0.1:9/token",
      authorization_endpoint: "http://127.0.0.1:9/authorize",
      public_keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }],
    },
  };
}

/** Not with `fetch`, which sets its own Sec-Fetch headers. */
async function open({ url }: Target, kind: string, headers: Record<string, string>, count: Count) {
  const asked = get(url + AUTHORIZE, { headers, agent: AGENT });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  count(`${kind} ${response.statusCode}`);
}

const AGENT = new Agent({ keepAlive: true });

export const scenarios: readonly Scenario[] = [
  {
    name: "foreign-pages",
    attack: `${IMAGES} images of the beginning of a login, by pages of other sites, from one address`,
    prepare: async (place) => ({
      config: toy({
        authentication: { providers: [PASSWORD, orcid()] },
        database: { uri: `sqlite:///${await place.folder()}/bench.db`, init_if_not_exists: true },
      }),
      run: async (target, count) => {
        for (let asked = 0; asked < IMAGES; asked += 50) {
          await Promise.all(Array.from({ length: 50 }, () => open(target, "image", IMAGE, count)));
          await open(target, "a person's login", NAVIGATION, count);
        }
      },
    }),
  },
];
