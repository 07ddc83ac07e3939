/**
 * The steps of docs/how-to/from-middle-auth.md, as an operator takes them: the page's query by the real psql on a middle_auth
 * server's database, then its commands, then a token from before.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../support/folders.ts";
import { middleAuthDatabase, TOKENS } from "../support/middle-auth.ts";
import { oursCommand, TILED } from "../support/ours.ts";
import { type Postgres, postgresOrSkip } from "../support/postgres.ts";
import { run } from "../support/process.ts";

const page = await readFile(new URL("../../docs/how-to/from-middle-auth.md", import.meta.url), "utf8");
const block = (language: string, index: number) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))][index]?.[1] ?? assert.fail();

const ENV = {
  GOOGLE_CLIENT_ID: "id",
  GOOGLE_CLIENT_SECRET: "0f4b1d7c9a6e",
  TILED_SECRET: "5ce1f0a97b3d2846e1907fd3a6b8c254",
};
/** Every row of a middle_auth server's database, as text. */
async function rowsOf(server: Postgres, uri: string): Promise<string> {
  const tables = await server.query(
    uri,
    "select tablename from pg_tables where schemaname = 'public' order by 1",
  );
  const rows = tables.map(({ tablename }) => server.query(uri, `select * from "${tablename}" order by id`));
  return JSON.stringify(await Promise.all(rows));
}

const folder = await temporaryFolder(after);

before(async () => {
  await mkdir(join(folder, "config"));
  await writeFile(join(folder, "config", "config.yml"), block("yaml", 0));
  await writeFile(join(folder, "export-cave.sql"), block("sql", 0));
});

/** In the folder, with the command `tiled`. */
async function shell(script: string): Promise<string> {
  const command = TILED.map((word) => `'${word}'`).join(" ");
  const { code, stdout, stderr } = await run(["bash", "-euc", `tiled() { ${command} "$@"; }\n${script}`], {
    cwd: folder,
    env: { ...process.env, ...ENV },
  });
  assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
  return stdout;
}

test("a middle_auth server's people, tokens and rules are taken over, step by step", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  const uri = await middleAuthDatabase(server);
  const rows = await rowsOf(server, uri);
  const exporting = block("sh", 0);
  assert.match(exporting, /postgresql:\/\/user@host\/auth/);
  await shell(exporting.replace("postgresql://user@host/auth", uri));
  const exported = join(folder, "export.json");
  assert.equal((await stat(exported)).mode & 0o777, 0o600);
  const text = await readFile(exported, "utf8");
  for (const token of Object.values(TOKENS)) assert.ok(!text.includes(token), "no token in clear");
  const said = await shell(block("sh", 1));
  assert.match(said, /Would import 2 people \(provider google\) and 2 services, with 4 tokens and 4 acc/);
  assert.match(said, /\nImported 2 people \(provider google\) and 2 services, with 4 tokens and 4 acc/);
  assert.match(said, /No errors found in configuration\./);
  const again = await shell(block("sh", 1).split("\n")[2] ?? "");
  assert.match(
    again,
    /^Nothing to import: the database has all of them\.\nLeft as they are, since they are known: 4 acc/,
  );
  assert.match(again, /\nconfig\/cave\.yml is up to date\.\nconfig\/cave-terms-2\.txt is up to date\.\n$/);

  const [without = ""] = block("yaml", 0).split("trees: # something to serve until");
  await writeFile(join(folder, "config", "config.yml"), without);
  const config = /^tiled serve config (\S+)$/m.exec(block("sh", 2))?.[1] ?? assert.fail();
  const cleanup = (last: () => Promise<unknown>) => t.after(last);
  const { url } = await oursCommand(cleanup, ["config", config], {
    cwd: folder,
    env: { ...process.env, ...ENV },
  });
  const ask = block("sh", 3);
  assert.match(ask, /https:\/\/cave\.example\.org\//);
  const answers = async (token: string) =>
    JSON.parse(await shell(`TOKEN=${token}\n${ask.replace("https://cave.example.org", url)}`));
  const ada = await answers(TOKENS.ada);
  assert.deepEqual(
    [ada.id, ada.name, ada.email, ada.service_account, ada.admin],
    [3, "ada", "ada@example.org", false, false],
  );
  assert.deepEqual(ada.groups, ["default", "proofreaders"]);
  assert.deepEqual(ada.permissions_v2, { minnie65: ["view", "edit"], fanc: ["admin_view"] });
  const grace = await answers(TOKENS.grace);
  assert.deepEqual([grace.id, grace.admin, grace.groups_admin], [7, true, ["proofreaders"]]);
  assert.deepEqual(grace.datasets_admin, ["minnie65"]);
  assert.deepEqual(grace.permissions_v2, { fanc: ["admin_view"] });
  assert.deepEqual(grace.missing_tos, [
    { dataset_id: 1, dataset_name: "minnie65", tos_id: 2, tos_name: "microns" },
  ]);
  const viewer = await answers(TOKENS.viewer);
  assert.deepEqual([viewer.id, viewer.name, viewer.service_account], [13, "viewer", true]);
  assert.deepEqual(viewer.permissions_v2, { minnie65: ["view"], fanc: ["admin_view"] });
  assert.equal((await answers("f".repeat(32))).error, "invalid_token");

  const audit = await shell(block("sh", 4));
  for (const event of ["principal_created", "api_key_created", "cave_terms_accepted"])
    assert.match(audit, new RegExp(`${event}.*imported`));
  assert.equal(await rowsOf(server, uri), rows, "middle_auth's database is unchanged");
});

test("the query says so where a token has another form, and the import names it", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  const uri = await middleAuthDatabase(server);
  await server.query(uri, "insert into api_key (user_id, key) values (3, 'hand-made')");
  const [row] = await server.query(uri, block("sql", 0));
  const text = String(Object.values(row ?? {})[0]);
  assert.ok(!text.includes("hand-made"));
  const { tokens } = JSON.parse(text);
  assert.deepEqual([tokens.length, tokens[4].first_eight, tokens[4].sha256], [5, null, null]);
  await writeFile(join(folder, "odd.json"), text);
  const { code, stderr } = await run([...TILED, "admin", "import-cave", "odd.json", "--config", "config"], {
    cwd: folder,
    env: { ...process.env, ...ENV },
  });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /\n {2}tokens\[4\]\.sha256: must be the hash of a token, which has 32 hexadecimal digits/,
  );
});
