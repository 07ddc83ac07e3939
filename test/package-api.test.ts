/**
 * The package as a stranger uses it: imported by name from the build, in a project of its own whose TypeScript is checked.
 * It writes an authenticator and a policy, starts a server and logs in.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { bundle } from "../scripts/bundle.ts";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

let project: string;

before(async () => {
  project = await mkdtemp(join(tmpdir(), "tiled-auth-project-"));
  await installBuild(join(project, "node_modules/tiled-auth"));
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(project, name), text);
});

after(async () => {
  await rm(project, { recursive: true, force: true });
});

test("a project's authenticator, policy and program pass the compiler", async () => {
  const { stdout } = await run(process.execPath, [TSC, "-p", project]).catch((error) => error);
  assert.equal(stdout, "");
});

test("they run: a login passes the authenticator, the policy decides what it shows, and the server stops", async () => {
  const { stdout } = await run(process.execPath, ["main.ts"], { cwd: project });
  assert.deepEqual(JSON.parse(stdout), {
    wrong: 401,
    visible: ["A"],
    mistake: "sever",
    version: "string",
  });
});

test("errors of the package are told apart by their code", async () => {
  const { stdout } = await run(process.execPath, ["failure.ts"], { cwd: project });
  assert.deepEqual(JSON.parse(stdout), ["bad_gateway", 502]);
});

test("the client library has logins on disk in Node, and elsewhere does without Node", async () => {
  for (const [condition, disk] of [
    ["node", true],
    ["browser", false],
  ] as const) {
    const resolved = await run(process.execPath, ["client.ts", condition], { cwd: project });
    assert.deepEqual(JSON.parse(resolved.stdout), { disk, code: "ERR_UNAVAILABLE" });
  }
});

/** What an installation leaves: package.json and the build; its dependencies are this checkout's. */
async function installBuild(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(join(ROOT, "package.json"), join(folder, "package.json"));
  await bundle({ absWorkingDir: ROOT, outdir: join(folder, "dist") });
  await run(process.execPath, [
    TSC,
    "-p",
    join(ROOT, "tsconfig.build.json"),
    "--outDir",
    join(folder, "dist"),
  ]);
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const dependency of ["pino", "@types"])
    await symlink(join(ROOT, "node_modules", dependency), join(folder, "..", dependency));
}

const AUTHENTICATOR = `
import { scryptSync, timingSafeEqual } from "node:crypto";
import type { AuthenticatedIdentity, AuthenticatorContext, PasswordAuthenticator } from "tiled-auth";

interface Args {
  readonly password: string;
}

export class LabAuthenticator implements PasswordAuthenticator {
  static readonly args = {
    type: "object",
    properties: { password: { type: "string" } },
    required: ["password"],
    additionalProperties: false,
  };

  readonly kind = "password";
  readonly confirmationMessage = "Logged in as {id}.";
  readonly #hash: Buffer;

  constructor({ password }: Args, context: AuthenticatorContext) {
    this.#hash = hash(password);
    if (password.length < 3) context.warn("short password");
  }

  async authenticate(username: string, password: string): Promise<AuthenticatedIdentity | null> {
    return timingSafeEqual(hash(password), this.#hash) ? { id: username } : null;
  }
}

function hash(password: string): Buffer {
  return scryptSync(password, "salt", 32, { N: 1024 });
}
`;

const POLICY = `
import type { AccessPolicy, PolicyCaller, PolicyContext, PolicyNode, Scope } from "tiled-auth";

export class OnePolicy implements AccessPolicy {
  static readonly args = {
    type: "object",
    properties: { shown: { type: "string" } },
    required: ["shown"],
    additionalProperties: false,
  };

  readonly kind = "access_policy";
  readonly #shown: string;

  constructor({ shown }: { readonly shown: string }, _context: PolicyContext) {
    this.#shown = shown;
  }

  scopesOn({ path }: PolicyNode, caller: PolicyCaller): Iterable<Scope> {
    if (path.length === 0) return ["read:metadata"];
    const known = caller.identities.some(({ provider }) => provider === "lab");
    return known && path[0] === this.#shown ? ["read:metadata", "read:data"] : [];
  }
}
`;

const CLASSES = `
import type { AuthenticatorClass, PolicyClass } from "tiled-auth";
import { LabAuthenticator } from "./authenticator.ts";
import { OnePolicy } from "./policy.ts";

export const authenticator: AuthenticatorClass = LabAuthenticator;
export const policy: PolicyClass = OnePolicy;
`;

const MAIN = `
import { pino } from "pino";
import { type Config, ConfigError, configFromObject, type RunningServer, startServer, VERSION } from "tiled-auth";

const config: Config = configFromObject(
  {
    server: { host: "127.0.0.1", port: 0 },
    authentication: {
      providers: [{ provider: "lab", authenticator: "./authenticator.ts:LabAuthenticator", args: { password: "secret" } }],
    },
    access_control: { access_policy: "./policy.ts:OnePolicy", args: { shown: "A" } },
    trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
    database: { uri: "sqlite:///:memory:" },
  },
  {},
);
const server: RunningServer = await startServer(config, {
  log: pino({ level: "silent" }),
  stopTimeouts: { requests: 1000, total: 5000 },
});

async function login(password: string): Promise<Response> {
  return fetch(\`\${server.url}/api/v1/auth/provider/lab/token\`, {
    method: "POST",
    body: new URLSearchParams({ username: "ann", password }),
  });
}

const { status: wrong } = await login("other");
const { access_token } = (await (await login("secret")).json()) as { readonly access_token: string };
const listing = await fetch(\`\${server.url}/api/v1/search/\`, { headers: { authorization: \`Bearer \${access_token}\` } });
const { data } = (await listing.json()) as { readonly data: readonly { readonly id: string }[] };
let mistake = "";
try {
  configFromObject({ sever: {} }, {});
} catch (error) {
  if (error instanceof ConfigError) mistake = error.problems.find(({ path }) => path === "sever")?.path ?? "";
}
await server.stop();
console.log(JSON.stringify({ wrong, visible: data.map(({ id }) => id), mistake, version: typeof VERSION }));
`;

const FAILURE = `
import { Failure, type FailureCode, type FailureOptions } from "tiled-auth";

const code: FailureCode = "bad_gateway";
const options: FailureOptions = { log: "the directory answered 500" };
const failure = new Failure(code, options);
console.log(JSON.stringify([failure.code, failure.status]));
`;

const CLIENT = `
import { FileStore, fromUri, MemoryStore, TiledError } from "tiled-auth/client";

// What a bundler for browsers takes.
const browser: { readonly fromUri: typeof fromUri } = await import(
  new URL("node_modules/tiled-auth/dist/src/client/index.js", import.meta.url).href
);
const client = process.argv[2] === "node" ? { fromUri, FileStore } : browser;
const fetch = async () => new Response("");
const code = await client
  .fromUri("https://tiled.example", { fetch, store: new MemoryStore() })
  .then(() => "", (error: unknown) => (error instanceof TiledError ? error.code : String(error)));
console.log(JSON.stringify({ disk: "FileStore" in client, code }));
`;

const FILES: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ name: "lab", type: "module", private: true }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      module: "nodenext",
      target: "es2024",
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      allowImportingTsExtensions: true,
      types: ["node"],
      skipLibCheck: false,
    },
    include: ["*.ts"],
  }),
  "authenticator.ts": AUTHENTICATOR,
  "policy.ts": POLICY,
  "classes.ts": CLASSES,
  "main.ts": MAIN,
  "failure.ts": FAILURE,
  "client.ts": CLIENT,
};
