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
import { TILED } from "../support/ours.ts";
import { postgresOrSkip } from "../support/postgres.ts";
import { run } from "../support/process.ts";

const page = await readFile(new URL("../../docs/how-to/from-middle-auth.md", import.meta.url), "utf8");
const block = (language: string, index: number) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))][index]?.[1] ?? assert.fail();

const ENV = {
  GOOGLE_CLIENT_ID: "id",
  GOOGLE_CLIENT_SECRET: "0f4b1d7c9a6e",
  TILED_SECRET: "5ce1f0a97b3d2846e1907fd3a6b8c254",
};
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
  assert.match(again, /^Nothing to import: the database has all of them\.\n4 were there already, and stay/);
  assert.match(again, /\nconfig\/cave\.yml is up to date\.\nconfig\/cave-terms-2\.txt is up to date\.\n$/);
});
