/**
 * The command line of ours and of the real `tiled`, each against our server and the real one: the same lines print the same, leave
 * the same files and end with the same exit codes. `command-line-differences.ts` names what differs, with the reason.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Api, bearer } from "../support/api.ts";
import { Home } from "../support/command-line.ts";
import { CLIENT_ID, CLIENT_SECRET, HostileProvider } from "../support/hostile-provider.ts";
import { startOurs, TILED } from "../support/ours.ts";
import { program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, singleUser, toy } from "../support/toy.ts";
import { Visitor } from "../support/visitor.ts";
import { DIFFERENCES, type Report } from "./command-line-differences.ts";
import { STORIES, type StoryName } from "./command-line-stories.ts";

type Reports = Record<string, Report>;

const PROGRAMS = { ours: TILED, real: [program("tiled")] };
const SERVERS = { ours: startOurs, real: startReference };

/** Written to stdout by the real `tiled`, to stderr or the terminal by ours, which keeps stdout for results. */
const QUESTIONS = [
  /Username: /g,
  /Authentication providers:\n(?:\d+ - .*\n)*Choose an authentication provider \(or press Enter to cancel\): /g,
  /No authentication provider chosen\. Failed\.\n/g,
  /Username or password not recognized\. Retry, or press Enter to cancel\.\n/g,
  /Choice must be a number.*\n/g,
  /\nYou have \d+ minutes to visit this URL\n\n.*\n\nand enter the code:\n\n.*\n\nWaiting\.\.\.\n*/g,
];

interface Cast {
  readonly program: keyof typeof PROGRAMS;
  readonly server: keyof typeof SERVERS;
}

async function play(
  t: TestContext,
  story: StoryName,
  url: string,
  { program, server }: Cast,
): Promise<Reports> {
  const home = await Home.make(t.after.bind(t));
  const reports: Reports = {};
  await STORIES[story]({
    url,
    step: async (name, args, { stderr = false, shown = (text: string) => text, ...more } = {}) => {
      const ran = await home.run(PROGRAMS[program], { args: args.split(" "), ...more });
      const answered = QUESTIONS.reduce((text, question) => text.replace(question, ""), ran.stdout);
      const stdout = ran.code === 0 ? shown(answered) : answered;
      const report = {
        code: ran.code,
        stdout,
        ...(stderr && { stderr: ran.stderr }),
        files: await home.files(),
      };
      reports[name] = scrubbed(report, home.folder);
      if (process.env["TILED_AUTH_TEST_SHOW"])
        t.diagnostic(`${program} at ${server}, ${name}: ${args}\n${JSON.stringify(ran)}`);
      return ran;
    },
    person: enterCode,
    liveSessions: async (name, username) => {
      const api = new Api(url);
      const { sessions } = (await api.whoami(bearer(await api.login(username)))).body;
      const live = sessions.filter(({ revoked }) => !revoked).length - 1;
      reports[name] = { code: 0, stdout: `${live}`, files: {} };
    },
  });
  return reports;
}

/** Opens the address that the program printed, and enters its code. */
async function enterCode(seen: string): Promise<void> {
  const [, address = ""] = /(http\S+)/.exec(seen) ?? [];
  const [, code = ""] = /\b([0-9A-F]{4}-[0-9A-F]{4})\b/.exec(seen) ?? [];
  const visitor = new Visitor();
  const page = await visitor.submit(await visitor.open(address), { user_code: code });
  assert.equal(page.status, 200, page.text);
}

/** What differs from one run to the next becomes a placeholder; the reference lists scopes in random order. */
function scrubbed(report: Report, home: string): Report {
  const clean = (text: string) =>
    text
      .replaceAll(home, "<home>")
      .replace(/http:\/\/127\.0\.0\.1:\d+/g, "<base>")
      .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "<token>")
      .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<uuid>")
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?/g, "<time>")
      .replace(/\b[0-9a-f]{72}\b/g, "<key>")
      .replace(/\b[0-9a-f]{8}\b/g, "<8 hex>");
  return JSON.parse(JSON.stringify(report), (_, value) => (typeof value === "string" ? clean(value) : value));
}

/** Every step becomes a test. Without a configuration, no server is started. */
async function compare(t: TestContext, story: StoryName, config: object | null): Promise<void> {
  const casts = (["real", "ours"] as const).flatMap((program): Cast[] =>
    config === null
      ? [{ program, server: "ours" }]
      : [
          { program, server: "real" },
          { program, server: "ours" },
        ],
  );
  // One start after the other: all at once, each would take too long on a busy machine.
  const urls: string[] = [];
  for (const { server } of casts)
    urls.push(config === null ? "" : (await SERVERS[server](t.after.bind(t), config)).url);
  const plays = await Promise.all(
    casts.map(async (cast, index) => ({ ...cast, reports: await play(t, story, urls[index] ?? "", cast) })),
  );
  const [first, ...others] = plays;
  const real: Reports = first?.reports ?? {};
  const rows = DIFFERENCES[story] ?? {};
  for (const name of Object.keys(rows)) assert.ok(name in real, `${name} is no step`);
  for (const [name, expected] of Object.entries(real))
    await t.test(name, () => {
      const { ours, atOurs } = rows[name] ?? {};
      for (const change of [ours, atOurs])
        if (change !== undefined)
          assert.notDeepEqual({ ...expected, ...change }, expected, "no longer differs");
      for (const { program, server, reports } of others)
        assert.deepEqual(
          reports[name],
          { ...expected, ...(server === "ours" ? atOurs : {}), ...(program === "ours" ? ours : {}) },
          `${program} at ${server}`,
        );
    });
}

function provider(name: string, authenticator: string, args: object): object {
  return { provider: name, authenticator: `tiled.authenticators:${authenticator}`, args };
}

const TIMEOUT = { timeout: 600_000 };

describe("the command line", { skip: withoutTiled() }, () => {
  test("profiles", TIMEOUT, (t) => compare(t, "profiles", null));

  test("passwords", TIMEOUT, (t) => compare(t, "passwords", toy()));

  test("several providers", TIMEOUT, async (t) => {
    const args = { users_to_passwords: PASSWORDS, confirmation_message: "Hello {id}." };
    const providers = ["toy", "second"].map((name) => provider(name, "DictionaryAuthenticator", args));
    await compare(t, "several providers", toy({ authentication: { providers } }));
  });

  test("a device login", TIMEOUT, async (t) => {
    const elsewhere = await HostileProvider.start(t.after.bind(t), { alg: "RS256", pkce: "optional" });
    elsewhere.document["id_token_signing_alg_values_supported"] = ["RS256"];
    const orcid = provider("orcid", "OIDCAuthenticator", {
      audience: CLIENT_ID,
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      well_known_uri: elsewhere.wellKnown,
      confirmation_message: "You have logged in as {id}.",
    });
    await compare(t, "a device login", toy({ authentication: { providers: [orcid], tiled_admins: [] } }));
  });

  test("one key", TIMEOUT, (t) => compare(t, "one key", singleUser()));

  test("everyone", TIMEOUT, (t) =>
    compare(
      t,
      "everyone",
      singleUser({ authentication: { allow_anonymous_access: true, single_user_api_key: "secret" } }),
    ),
  );

  test("part public", TIMEOUT, (t) =>
    compare(t, "part public", toy({ authentication: { allow_anonymous_access: true } })),
  );
});
