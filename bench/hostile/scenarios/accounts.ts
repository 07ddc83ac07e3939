/** What one account can do to the database and to other users by logging in again and again. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PASSWORDS } from "../../../test/support/toy.ts";
import { type Count, type Place, publicToy, type Scenario, type Target } from "../scenario.ts";

const SECONDS = 30;

/** An authenticator that puts everyone into 500 groups. */
const GROUPS = `export class Groups {
  static args = { type: "object", properties: {}, additionalProperties: false };
  kind = "password";
  confirmationMessage = "";
  async authenticate(id) {
    return { id, state: { groups: Array.from({ length: 500 }, (_, n) => "cn=group-" + n + ",ou=groups,dc=institute,dc=example,dc=org") } };
  }
}
`;

async function withGroups(place: Place): Promise<object> {
  const file = join(await place.folder(), "groups.mjs");
  await writeFile(file, GROUPS);
  const args = { users_to_passwords: PASSWORDS };
  return publicToy(place, {
    authentication: {
      providers: [
        { provider: "toy", authenticator: "tiled.authenticators:DictionaryAuthenticator", args },
        { provider: "lab", authenticator: `${file}:Groups` },
      ],
    },
  });
}

async function post(url: string, body: string, type: string): Promise<Response> {
  return await fetch(url, { method: "POST", headers: { "content-type": type }, body });
}

async function logIn(
  { url }: Target,
  provider: string,
  username: string,
  password: string,
): Promise<Response> {
  const form = new URLSearchParams({ username, password }).toString();
  const path = `/api/v1/auth/provider/${provider}/token`;
  return await post(url + path, form, "application/x-www-form-urlencoded");
}

async function together(connections: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: connections }, work));
}

async function loop(target: Target, count: Count): Promise<void> {
  const end = performance.now() + SECONDS * 1000;
  await together(16, async () => {
    while (performance.now() < end) {
      const login = await logIn(target, "toy", "bob", PASSWORDS.bob);
      count(`login ${login.status}`);
      const { refresh_token } = (await login.json()) as { refresh_token?: string };
      if (refresh_token === undefined) continue;
      const body = JSON.stringify({ refresh_token });
      await post(`${target.url}/api/v1/auth/session/revoke`, body, "application/json");
    }
  });
}

async function whoami(target: Target, count: Count): Promise<void> {
  let token = "";
  for (let session = 0; session < 200; session++) {
    const login = await logIn(target, "lab", "mallory", "any");
    token = ((await login.json()) as { access_token?: string }).access_token ?? token;
  }
  const end = performance.now() + SECONDS * 1000;
  await together(8, async () => {
    while (performance.now() < end) {
      const headers = { authorization: `Bearer ${token}`, "if-none-match": "" };
      const answer = await fetch(`${target.url}/api/v1/auth/whoami`, { headers });
      const bytes = (await answer.arrayBuffer()).byteLength;
      count(`${answer.status}, ${Math.ceil(bytes / 100_000) / 10} MB`);
    }
  });
}

export const scenarios: readonly Scenario[] = [
  {
    name: "account-loop",
    attack: "one account logs in and out, 16 at a time",
    prepare: async (place) => ({ config: await publicToy(place), run: loop }),
  },
  {
    name: "account-groups",
    attack: "200 sessions of a person in 500 groups, then whoami, 8 at a time",
    prepare: async (place) => ({ config: await withGroups(place), run: whoami }),
  },
];
