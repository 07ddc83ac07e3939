/**
 * What a person types, in every mode of a server: the same lines for our command and the real `tiled`. Steps are named, for
 * `command-line-differences.ts`.
 */
import type { Line, Ran } from "../support/command-line.ts";
import { PASSWORDS } from "../support/toy.ts";

type More = Omit<Line, "args">;

/** Runs a step of a story; its report is kept by its name. */
type Step = (name: string, args: string, more?: More & Compared) => Promise<Ran>;

interface Compared {
  /** Whether the text on stderr is the same, too. */
  readonly stderr?: boolean;
  /** What counts of stdout. Default: all of it. */
  readonly shown?: (stdout: string) => string;
}

interface Player {
  readonly url: string;
  readonly step: Step;
  /** Follows the address of a device login and enters the code. */
  readonly person: (seen: string) => Promise<void>;
  /** The person's sessions that are not revoked. */
  readonly liveSessions: (name: string, username: keyof typeof PASSWORDS) => Promise<void>;
}

type Story = (player: Player) => Promise<void>;

function typed(name: keyof typeof PASSWORDS, ...passwords: readonly string[]): More {
  const answers = passwords.length > 0 ? passwords : [PASSWORDS[name]];
  return {
    dialogue: [["Username: ", name], ...answers.map((password) => ["Password: ", password] as const)],
  };
}

/** No server is asked. */
const profiles: Story = async ({ step }) => {
  const url = "http://127.0.0.1:8000";
  const stderr = true;
  await step("no profile: whoami", "whoami");
  await step("no profile: login", "login", { terminal: true });
  await step("no profiles: list", "profile list");
  await step("no default: get-default", "profile get-default", { stderr });
  await step("create", `profile create ${url}`, { stderr });
  await step("create, exists", `profile create ${url}/other`);
  await step("create --overwrite", `profile create ${url}/other --overwrite --no-verify`, { stderr });
  await step("create --no-set-default", `profile create ${url} --name second --no-set-default`, { stderr });
  await step("list", "profile list", { shown: (text) => text.split("\n").sort().join("\n") });
  await step("paths", "profile paths");
  await step("show", "profile show auto", { stderr });
  await step("show, unknown", "profile show nope");
  await step("get-default", "profile get-default", { stderr });
  await step("set-default", "profile set-default second", { stderr });
  await step("set-default, unknown", "profile set-default nope");
  await step("clear-default", "profile clear-default", { stderr });
  await step("delete, unknown", "profile delete nope");
  await step("set-default, again", "profile set-default second");
  await step("delete, the default", "profile delete second", { stderr });
  await step("unknown profile: whoami", "whoami --profile nope");
  await step("unknown verb", "nonsense");
  await step("unknown option", "whoami --nonsense");
  await step("create, name outside", `profile create ${url} --name ../x`);
};

/** People with passwords; `alice` is an administrator. */
const passwords: Story = async ({ url, step, liveSessions }) => {
  await step("profile create", `profile create ${url}`);
  await step("whoami before", "whoami");
  await step("logout before", "logout");
  await step("api_key list, no terminal", "api_key list");
  await step("login, no terminal", "login");
  await step("login, three wrong passwords", "login", typed("bob", "x", "y", "z"));
  await step("login, empty password", "login", typed("bob", ""));
  await step("login, second password", "login", typed("bob", "x", PASSWORDS.bob));
  await step("whoami", "whoami");
  await step("tree", "tree");
  await step("tree 2", "tree 2");
  await step("no keys: api_key list", "api_key list", { stderr: true });
  const wide = (await step("api_key create", "api_key create")).stdout.trim();
  await step(
    "api_key create, options",
    "api_key create --expires-in 5m --scopes read:metadata --scopes read:data --access-tags a --note short",
  );
  await step("api_key create, unknown scope", "api_key create --scopes nonsense");
  await step("api_key create, no time", "api_key create --expires-in soon");
  await step("api_key list", "api_key list");
  const key = { env: { TILED_API_KEY: wide } };
  await step("TILED_API_KEY: whoami", "whoami", key);
  await step("TILED_API_KEY: tree", "tree", key);
  await step("TILED_API_KEY: login", "login", { ...key, ...typed("bob") });
  await step("TILED_API_KEY: wrong", "tree", { env: { TILED_API_KEY: "abcd" } });
  await step("TILED_API_KEY: empty", "tree", { env: { TILED_API_KEY: "" } });
  await step("login again", "login", typed("bob"));
  await liveSessions("sessions after a login again", "bob");
  await step("TILED_API_KEY: logout", "logout", key);
  await step("login a third time", "login", typed("bob"));
  await step("a user: admin list-principals", "admin list-principals");
  await step("api_key revoke", `api_key revoke ${wide.slice(0, 8)}`);
  await step("api_key revoke, unknown", `api_key revoke ${wide}`);
  await step("login as another", "login", typed("alice"));
  await step("whoami as another", "whoami --profile auto");
  await step("admin list-principals", "admin list-principals", {
    // The real one leaves sessions behind, as "sessions after a login again" shows.
    shown: (text) => text.replace(/"sessions": \[[\s\S]*?\n {4}\]/g, '"sessions": …'),
  });
  await step("admin list-principals 0 1", "admin list-principals 0 1", {
    shown: (text) => String(JSON.parse(text).length),
  });
  const service = await step("admin create-service-principal", "admin create-service-principal");
  const uuid = /"uuid": "([^"]*)"/.exec(service.stdout)?.[1] ?? "";
  await step("admin show-principal", `admin show-principal ${uuid}`);
  await step("admin show-principal, unknown", "admin show-principal 00000000-0000-4000-8000-000000000000");
  const theirs = (
    await step("admin api-key create", `admin api-key create ${uuid} --note theirs`)
  ).stdout.trim();
  await step("admin api-key create, expires", `admin api-key create ${uuid} --expires-in 600`);
  await step("admin api-key create, 1h", `admin api-key create ${uuid} --expires-in 1h`);
  await step("admin api-key list", `admin api-key list ${uuid}`);
  await step("a service: whoami", "whoami", { env: { TILED_API_KEY: theirs } });
  await step("admin api-key revoke", `admin api-key revoke ${uuid} ${theirs.slice(0, 8)}`);
  await step("admin api-key revoke, unknown", `admin api-key revoke ${uuid} ${theirs.slice(0, 8)}`);
  await step("logout", "logout");
  await step("logout again", "logout");
  await step("whoami after", "whoami");
  await step("api_key list, asks first", "api_key list", typed("alice"));
  await step("login --show-secret-tokens", "login --show-secret-tokens", typed("cara"));
};

/** Two providers, `toy` and `second`. */
const severalProviders: Story = async ({ url, step }) => {
  await step("profile create", `profile create ${url}`);
  const choose = "to cancel): ";
  await step("login, Enter", "login", { dialogue: [[choose, ""], ...(typed("bob").dialogue ?? [])] });
  await step("logout", "logout");
  await step("login, the second", "login", { dialogue: [[choose, "2"], ...(typed("bob").dialogue ?? [])] });
  await step("whoami", "whoami");
  await step("login, out of the list", "login", {
    dialogue: [[choose, "3"], [choose, "1"], ...(typed("bob").dialogue ?? [])],
  });
  await step("whoami, both", "whoami");
};

/** At a provider in the browser. */
const device: Story = async ({ url, step, person }) => {
  await step("profile create", `profile create ${url}`);
  await step("login", "login", { dialogue: [["Waiting", null]], person });
  await step("whoami", "whoami");
  await step("tree", "tree");
  await step("api_key create", "api_key create --expires-in 1h");
  await step("logout", "logout");
  await step("whoami after", "whoami");
};

/** One key. */
const oneKey: Story = async ({ url, step }) => {
  await step("profile create", `profile create ${url}`);
  const key = { env: { TILED_API_KEY: "secret" } };
  await step("whoami", "whoami");
  await step("with the key: whoami", "whoami", key);
  await step("with the key: tree", "tree", key);
  await step("with a wrong key: tree", "tree", { env: { TILED_API_KEY: "abcd" } });
  await step("tree", "tree");
  await step("login", "login", { dialogue: [["to cancel): ", ""]] });
  await step("logout", "logout");
  await step("api_key list", "api_key list");
  await step("with the key: api_key list", "api_key list", key);
  await step("with the key: api_key create", "api_key create", key);
  await step("with the key: admin list-principals", "admin list-principals", key);
  await step("profile create, key in the address", `profile create ${url}?api_key=secret --name keyed`);
  await step("key in the address: tree", "tree --profile keyed");
};

/** A single user's server that anyone may read. */
const everyone: Story = async ({ url, step }) => {
  await step("profile create", `profile create ${url}`);
  await step("whoami", "whoami");
  await step("tree", "tree");
  await step("login", "login", { dialogue: [["to cancel): ", ""]] });
  await step("logout", "logout");
  await step("api_key create", "api_key create");
  await step("admin list-principals", "admin list-principals");
};

/** Logins, and anyone may read. */
const partPublic: Story = async ({ url, step }) => {
  await step("profile create", `profile create ${url}`);
  await step("whoami before", "whoami");
  await step("tree before", "tree");
  await step("api_key list before", "api_key list");
  await step("api_key create before", "api_key create");
  await step("login", "login", typed("cara"));
  await step("whoami", "whoami");
  await step("tree", "tree");
  await step("api_key create", "api_key create");
  await step("logout", "logout");
};

export const STORIES = {
  profiles,
  passwords,
  "several providers": severalProviders,
  "a device login": device,
  "one key": oneKey,
  everyone,
  "part public": partPublic,
};

export type StoryName = keyof typeof STORIES;
