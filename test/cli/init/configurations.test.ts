/** Every combination of answers makes files that `tiled config check` accepts without a warning, once the owner's own values are set. */
import assert from "node:assert/strict";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { check, loadWhole } from "../../../src/cli/config/check.ts";
import type { Config } from "../../../src/config/model.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const WHO = ["single-user", "public", "private", "mixed"] as const;
const PROVIDERS = ["passwords", "pam", "orcid", "google", "https://keycloak.example.org/realms/lab"];
const DATA = ["example", "FOLDER", "http://127.0.0.1:8001"];
const ADDRESSES = ["local", "https://tiled.example.org"];
const DATABASES = ["sqlite", "postgresql"];

/** What only the owner knows. */
const FILLED = {
  ORCID_CLIENT_ID: "APP-LAB00001",
  ORCID_CLIENT_SECRET: "hunter3",
  GOOGLE_CLIENT_ID: "1.apps.googleusercontent.com",
  GOOGLE_CLIENT_SECRET: "hunter4",
  KEYCLOAK_CLIENT_ID: "tiled",
  KEYCLOAK_CLIENT_SECRET: "hunter5",
  PGPASSWORD: "hunter2",
};

interface Choices {
  readonly who: string;
  readonly provider: string | null;
  readonly data: string;
  readonly address: string;
  readonly database: string | null;
}

const combinations: readonly Choices[] = WHO.flatMap((who) => {
  const logins = who === "private" || who === "mixed";
  const places = DATA.flatMap((data) => ADDRESSES.map((address) => ({ who, data, address })));
  const ways: readonly Pick<Choices, "provider" | "database">[] = logins
    ? PROVIDERS.flatMap((provider) => DATABASES.map((database) => ({ provider, database })))
    : [{ provider: null, database: null }];
  return places.flatMap((place) => ways.map((way) => ({ ...place, ...way })));
});

/** Writes the configuration; its path, and what the command printed. */
async function written(folder: string, options: Partial<Choices> & { readonly admin?: string }) {
  await mkdir(join(folder, "data"), { recursive: true });
  const file = join(folder, "config.yml");
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === null ? [] : [`--${name}`, value === "FOLDER" ? join(folder, "data") : value],
  );
  const outcome = await tiled(["init", file, "--force", ...args], { USER: "ada" });
  assert.deepEqual([outcome.code, outcome.stderr], [0, ""], args.join(" "));
  return { file, secrets: join(folder, "config.env"), stdout: outcome.stdout };
}

describe("every combination of answers", () => {
  it("is accepted, has the mode and the base that were asked for, and prints no secret", async (t) => {
    const folder = await temporaryFolder((last) => t.after(last));
    assert.equal(combinations.length, 2 * 6 + 2 * 6 * 10);
    for (const options of combinations) {
      const name = Object.values(options).join(" ");
      const { file, secrets, stdout } = await written(folder, options);
      const err: string[] = [];
      const io = { env: FILLED, out: () => {}, err: (text: string) => void err.push(text) };
      const config: Config = await loadWhole(file, io);
      assert.deepEqual([config.warnings, err], [[], []], name);
      const { authentication } = config;
      assert.equal(authentication.allowAnonymousAccess, /public|mixed/.test(options.who), name);
      assert.equal(authentication.providers.length, options.provider === null ? 0 : 1, name);
      assert.equal(config.server.publicUrl?.startsWith("https:") ?? false, /^https/.test(options.address));
      assert.equal(config.server.port, 8000);
      assert.equal(
        config.accessControl !== null,
        options.who === "mixed" && !/^http/.test(options.data),
        name,
      );
      assert.equal(config.upstreams.length, /^http/.test(options.data) ? 1 : 0);
      const text = await readFile(secrets, "utf8");
      for (const [, value = ""] of text.matchAll(/^\w+=(.+)$/gm)) {
        assert.ok(!stdout.includes(value), name);
        assert.ok(!(await readFile(file, "utf8")).includes(value), name);
      }
      if (process.platform !== "win32") assert.equal((await stat(secrets)).mode & 0o777, 0o600);
    }
  });

  it("passes the whole check where that needs nothing of this machine", async (t) => {
    const folder = await temporaryFolder((last) => t.after(last));
    const local = combinations.filter(
      ({ provider, address, database }) =>
        provider !== "pam" && address === "local" && (database ?? "sqlite") === "sqlite",
    );
    for (const options of local) {
      const { file } = await written(folder, options);
      const out: string[] = [];
      const err: string[] = [];
      await check(file, { env: FILLED, out: (text) => out.push(text), err: (text) => err.push(text) });
      assert.deepEqual(
        [out[0], err],
        ["No errors found in configuration.", []],
        Object.values(options).join(),
      );
    }
  });

  it("names each variable that the owner has to fill in, and the check names it again", async (t) => {
    const folder = await temporaryFolder((last) => t.after(last));
    const { file, secrets, stdout } = await written(folder, {
      who: "private",
      provider: "orcid",
      data: "example",
      address: "https://tiled.example.org",
      database: "postgresql",
    });
    const names = ["ORCID_CLIENT_ID", "ORCID_CLIENT_SECRET", "PGPASSWORD"];
    assert.match(stdout, new RegExp(`Fill in ${names.join(", ")} in .*config\\.env`));
    assert.match(
      stdout,
      /\n {4}https:\/\/tiled\.example\.org\/api\/v1\/auth\/provider\/orcid\/device_code\n/,
    );
    const { code, stderr } = await tiled(["config", "check", file]);
    assert.equal(code, 1);
    for (const name of names) {
      assert.match(stderr, new RegExp(`'${name}' is not set`));
      assert.match(await readFile(secrets, "utf8"), new RegExp(`^#${name}=$`, "m"));
    }
  });

  it("takes an address of PostgreSQL and a port as they are", async (t) => {
    const folder = await temporaryFolder((last) => t.after(last));
    const { file } = await written(folder, {
      who: "private",
      provider: "passwords",
      data: "example",
      address: "http://localhost:8123",
      database: "postgresql+asyncpg://ada@db.example.org/logins?sslmode=require",
    });
    const { server, database } = await loadWhole(file, { env: FILLED, out: () => {}, err: () => {} });
    assert.deepEqual([server.host, server.port], ["127.0.0.1", 8123]);
    assert.equal(
      database.uri?.reveal(),
      "postgresql+asyncpg://ada:hunter2@db.example.org/logins?sslmode=require",
    );
  });

  it("writes names that YAML would read as something else in quotes", async (t) => {
    const folder = await temporaryFolder((last) => t.after(last));
    for (const admin of ["yes", "007", "1e3", "null", "a:b"]) {
      const { file } = await written(folder, {
        who: "mixed",
        provider: "passwords",
        admin,
        data: "example",
        address: "local",
        database: "sqlite",
      });
      const { authentication } = await loadWhole(file, { env: {}, out: () => {}, err: () => {} });
      assert.deepEqual(authentication.admins, [{ provider: "local", id: admin }]);
      const users = authentication.providers[0]?.args["users_to_passwords"];
      assert.deepEqual(Object.keys(Object(users)), [admin]);
    }
  });
});
