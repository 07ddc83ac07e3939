/**
 * The real Python client and the real `tiled` command: one script (`client.py`) runs against the real Tiled server
 * and against ours, and both must report the same.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { temporaryFolder } from "../support/folders.ts";
import { oursCommand, startOurs } from "../support/ours.ts";
import type { Options, Server } from "../support/process.ts";
import { atTerminal, client, type Dialogue, program, withoutTiled } from "../support/python.ts";
import { referenceCommand, startReference } from "../support/reference.ts";
import { PASSWORDS, singleUser, TREE, toy } from "../support/toy.ts";

type Reports = Record<string, unknown>;
type Environment = Readonly<Record<string, string>>;
type Story = (server: Server, env: Environment) => Promise<Reports>;

interface Setting {
  readonly config?: object;
  /** Instead of a configuration: the arguments of `tiled serve`. */
  readonly command?: readonly string[];
  readonly options?: Options;
}

const TIMEOUT = { timeout: 300_000 };

function typed(name: keyof typeof PASSWORDS): Dialogue {
  return [
    ["Username: ", name],
    ["Password: ", PASSWORDS[name]],
  ];
}

/** Plays the story at both servers at once; every report becomes a test of its own. */
async function compare(t: TestContext, setting: Setting, story: Story): Promise<void> {
  const cleanup = t.after.bind(t);
  const play = async (started: Promise<Server>) => {
    const [server, folder] = await Promise.all([started, temporaryFolder(cleanup)]);
    return story(server, { TILED_CACHE_DIR: `${folder}/cache`, TILED_PROFILES: `${folder}/tiled/profiles` });
  };
  const { config, command = [], options } = setting;
  const [expected, got] = await Promise.all([
    play(config ? startReference(cleanup, config, options) : referenceCommand(cleanup, command, options)),
    play(config ? startOurs(cleanup, config, options) : oursCommand(cleanup, command, options)),
  ]);
  for (const [name, report] of Object.entries(expected)) {
    await t.test(name, () => assert.deepEqual(scrub(got[name]), scrub(report)));
  }
}

/** What differs from one run to the next becomes a placeholder; the reference lists scopes in random order. */
function scrub(report: unknown): unknown {
  const text = JSON.stringify(report)
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, "<base>")
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<uuid>")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?/g, "<time>")
    .replace(/\b[0-9a-f]{72}\b/g, "<key>")
    .replace(/\b[0-9a-f]{8}\b/g, "<8 hex>")
    .replace(/\['[^\]]*'\]/g, (list) => `[${list.slice(1, -1).split(", ").sort().join(", ")}]`);
  return JSON.parse(text);
}

describe("the real Python client", { skip: withoutTiled() }, () => {
  test("a person with a password", TIMEOUT, (t) =>
    compare(t, { config: toy() }, async ({ url }, env) => ({
      "wrong passwords": await client(
        "refused",
        [url],
        [...typed("bob").with(1, ["Password: ", "x"]), ["Password: ", "y"], ["Password: ", "z"]],
        env,
      ),
      "an empty password": await client("refused", [url], typed("bob").with(1, ["Password: ", ""]), env),
      login: await client("login", [url], typed("alice"), env),
      "logged in automatically": await client("automatic", [url], [], env),
      "API keys": await client("keys", [url], [], env),
      administration: await client("admin", [url], [], env),
      "another login": await client("login_again", [url], typed("bob"), env),
      "API keys of a user": await client("keys", [url], [], env),
      "revoked sessions": await client("revoked", [url], [], env),
      "login after that": await client("login", [url], typed("bob"), env),
      logout: await client("logout", [url], [], env),
      "unknown TILED_API_KEY": await client("single_user", [url], [], { ...env, TILED_API_KEY: "abcd" }),
    })),
  );

  test("an expired access token", TIMEOUT, (t) =>
    compare(t, { config: toy({ authentication: { access_token_max_age: 2 } }) }, async ({ url }, env) => ({
      login: await client("login", [url], typed("alice"), env),
      "refreshed unseen": await client("expiry", [url, "3"], [], env),
      "and in the next process": await client("automatic", [url], [], env),
    })),
  );

  test("processes that share a token cache refresh at once", TIMEOUT, (t) =>
    compare(t, { config: toy() }, async ({ url }, env) => {
      await client("login", [url], typed("bob"), env);
      const start = String(Date.now() / 1000 + 4);
      return {
        both: await Promise.all([1, 2].map(() => client("together", [url, "6", start], [], env))),
        "one later": await client("automatic", [url], [], env),
      };
    }),
  );

  test("single user", TIMEOUT, (t) =>
    compare(t, { config: singleUser() }, async ({ url }, env) => ({
      "key in the URL": await client("single_user", [`${url}/?api_key=secret`], [], env),
      "key as an argument": await client("single_user", [url, "secret"], [], env),
      TILED_API_KEY: await client("single_user", [url], [], { ...env, TILED_API_KEY: "secret" }),
      "wrong key": await client("single_user", [url, "wrong"], [], env),
      "no key": await client("single_user", [url], [], env),
    })),
  );

  test("serve pyobject with a key from the environment", TIMEOUT, (t) =>
    compare(
      t,
      { command: ["pyobject", TREE], options: { env: { TILED_SINGLE_USER_API_KEY: "k3y" } } },
      async ({ url }, env) => ({
        "right key": await client("single_user", [`${url}/api/v1?api_key=k3y`], [], env),
        "wrong key": await client("single_user", [url, "wrong"], [], env),
      }),
    ),
  );

  test("public", TIMEOUT, (t) =>
    compare(t, { command: ["pyobject", TREE, "--public", "--api-key", "secret"] }, async ({ url }, env) => ({
      anonymous: await client("anonymous", [url], [], env),
      "with the key": await client("single_user", [url, "secret"], [], env),
    })),
  );

  test("anonymous access beside login", TIMEOUT, (t) =>
    compare(
      t,
      { config: toy({ authentication: { allow_anonymous_access: true } }) },
      async ({ url }, env) => ({
        anonymous: await client("anonymous", [url], [], env),
        login: await client("login", [url], typed("cara"), env),
        "logged in automatically": await client("automatic", [url], [], env),
      }),
    ),
  );
});

/** The rows of a table of keys without their first column, which is random. */
function byScopes(left: string, right: string): number {
  return left.slice(8).localeCompare(right.slice(8));
}

describe("the real tiled command", { skip: withoutTiled() }, () => {
  test("login, keys and logout", TIMEOUT, (t) =>
    compare(t, { config: toy() }, async ({ url }, env) => {
      const tiled = async (args: string, dialogue: Dialogue = [], more: Environment = {}) =>
        atTerminal([program("tiled"), ...args.split(" ")], dialogue, { ...env, ...more });
      const secretOf = ({ stdout }: { stdout: string }) => stdout.trim();
      await tiled(`profile create ${url}`);
      const reports: Reports = {
        "whoami before": await tiled("whoami"),
        login: await tiled("login", typed("alice")),
        whoami: await tiled("whoami"),
        tree: await tiled("tree"),
        "no keys": await tiled("api_key list"),
      };
      const wide = secretOf(await tiled("api_key create"));
      const narrow = secretOf(
        await tiled("api_key create --expires-in 5m --scopes read:metadata --access-tags a --note short"),
      );
      return {
        ...reports,
        secrets: [wide, narrow],
        "too wide": (await tiled("api_key create --scopes nonsense")).code,
        list: (await tiled("api_key list")).stdout.split("\n").toSorted(byScopes),
        TILED_API_KEY: await tiled("tree", [], { TILED_API_KEY: wide }),
        revoke: [await tiled(`api_key revoke ${narrow}`), await tiled(`api_key revoke ${wide.slice(0, 8)}`)],
        "revoke again": (await tiled(`api_key revoke ${wide}`)).code,
        "revoked key": (await tiled("tree", [], { TILED_API_KEY: wide })).code,
        "list after": await tiled("api_key list"),
        principals: await tiled("admin list-principals"),
        logout: [await tiled("logout"), await tiled("logout")],
        "whoami after": await tiled("whoami"),
      };
    }),
  );
});
