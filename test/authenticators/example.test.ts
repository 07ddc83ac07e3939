import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { loadAuthenticators, startAuthenticators } from "../../src/authenticators/load.ts";
import type { PasswordAuthenticator } from "../../src/domain/ports/authenticator.ts";
import type { ProviderEntry } from "../../src/plugins/entries.ts";
import { passwordConformance } from "./conformance.ts";

const EXAMPLES = join(import.meta.dirname, "../../example_configs");

async function load(directory: string, args: Record<string, unknown>): Promise<PasswordAuthenticator> {
  const config: ProviderEntry = {
    provider: "lab",
    authenticator: "./my_auth.js:MyAuthenticator",
    args,
    place: { file: "config.yml", line: 3, path: "authentication.providers[0]" },
  };
  const made = await loadAuthenticators({
    providers: [config],
    directory,
    warn: (message) => assert.fail(message),
  });
  const authenticator = made.get("lab");
  assert.ok(authenticator?.kind === "password");
  await startAuthenticators(made);
  return authenticator;
}

let quick: PasswordAuthenticator;
let folder: string;

const USERS = [
  { name: "alice", password: "secret1" },
  { name: "Zoë", password: "pässwörd" },
];

/** A line for a file of users, as the example itself makes it. */
async function line({ name, password }: { name: string; password: string }): Promise<string> {
  const child = spawn(process.execPath, [join(folder, "my_auth.js"), name], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(`${password}\n`);
  return text(child.stdout);
}

before(async () => {
  // The same code with a cheaper hash, for the many logins of the suite.
  folder = await mkdtemp(join(tmpdir(), "own-"));
  const source = await readFile(join(EXAMPLES, "my_auth.js"), "utf8");
  assert.ok(source.includes("N: 2 ** 14, r: 8, p: 5"));
  await writeFile(
    join(folder, "my_auth.js"),
    source.replace("N: 2 ** 14, r: 8, p: 5", "N: 2 ** 10, r: 8, p: 1"),
  );
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  await writeFile(join(folder, "users.json"), `{${await Promise.all(USERS.map(line))}}`);
  quick = await load(folder, { users_file: "users.json" });
});
after(() => rm(folder, { recursive: true, force: true }));

passwordConformance("the example of an own authenticator", { authenticator: () => quick, users: USERS });

test("the example beside its own users", async () => {
  const example = await load(EXAMPLES, { users_file: "./users.json", confirmation_message: "Hello {id}" });
  assert.equal(example.confirmationMessage, "Hello {id}");
  for (const { name, password } of USERS) {
    assert.deepEqual(await example.authenticate(name, password), { id: name });
    assert.equal(await example.authenticate(name, `${password}x`), null);
  }
  assert.equal(await example.authenticate("nobody", "secret1"), null);
});

test("an unknown user costs a hash, like a known one", async () => {
  const example = await load(EXAMPLES, { users_file: "./users.json" });
  const time = async (name: string): Promise<number> => {
    const began = performance.now();
    await example.authenticate(name, "wrong");
    return performance.now() - began;
  };
  const known = Math.min(await time("alice"), await time("alice"), await time("alice"));
  const unknown = Math.min(await time("nobody"), await time("nobody"), await time("nobody"));
  // Without the hash it would be a thousandth.
  assert.ok(unknown > known / 5, `known ${known} ms, unknown ${unknown} ms`);
});

test("new and removed users take effect without a restart", async () => {
  assert.equal(await quick.authenticate("bob", "it's bob"), null);
  await writeFile(join(folder, "users.json"), `{${await line({ name: "bob", password: "it's bob" })}}`);
  assert.deepEqual(await quick.authenticate("bob", "it's bob"), { id: "bob" });
  assert.equal(await quick.authenticate("alice", "secret1"), null);
});

test("a broken file is no wrong password: it stops the start, or throws later", async () => {
  await writeFile(join(folder, "users.json"), '{"alice": "secret1"}');
  await assert.rejects(quick.authenticate("alice", "secret1"), /entry of 'alice'/);
  await assert.rejects(load(folder, { users_file: "users.json" }), /'lab' cannot start: .*entry of 'alice'/);
  await assert.rejects(load(folder, { users_file: "gone.json" }), /'lab' cannot start: ENOENT/);
});
