import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { AUTHENTICATORS, PREFIX } from "../../src/authenticators/table.ts";
import type { PasswordAuthenticator } from "../../src/domain/ports/authenticator.ts";
import { folder, load, provider } from "../authenticators/loading.ts";

const page = await readFile(new URL("../../docs/how-to/authenticators.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language, text = ""]) => ({
  language,
  text,
}));

/** The entry of a provider as the page shows it, indented or not. */
function entries(): { authenticator: string; args: Record<string, unknown> }[] {
  const texts = blocks.filter(({ language }) => language === "yaml").map(({ text }) => text);
  return texts.map((text) => {
    const parsed = parse(text);
    return parsed.authentication?.providers[0] ?? parsed;
  });
}

const people = createServer(async (request, response) => {
  const { username, password } = (await json(request)) as { username: string; password: string };
  if (username === "broken") response.writeHead(500).end();
  else if (username.toLowerCase() !== "alice" || password !== "sécret") response.writeHead(401).end();
  else response.end(JSON.stringify({ name: "alice" }));
});
let authenticator: PasswordAuthenticator | undefined;

before(async () => {
  people.listen(0, "127.0.0.1");
  await once(people, "listening");
  const code = blocks.find(({ language }) => language === "js")?.text ?? "";
  await writeFile(join(folder, "lab_auth.mjs"), code);
  const own = entries().find((entry) => entry.authenticator.startsWith("./"));
  const url = `http://127.0.0.1:${(people.address() as AddressInfo).port}/check`;
  const made = await load(provider(own?.authenticator ?? "", { ...own?.args, url }));
  authenticator = made.get("lab");
});
after(() => people.close());

test("every entry on the page can be loaded", async () => {
  assert.ok(entries().length >= 4);
  for (const { authenticator, args } of entries()) await load(provider(authenticator, args));
});

test("every authenticator of the table is on the page", () => {
  for (const name of AUTHENTICATORS.keys()) assert.ok(page.includes(`\`${PREFIX}${name}\``), name);
});

test("the page's own class keeps its promises", async () => {
  assert.deepEqual(await authenticator?.authenticate("Alice", "sécret"), { id: "alice" });
  assert.equal(await authenticator?.authenticate("alice", "wrong"), null);
  assert.equal(await authenticator?.authenticate("nobody", "sécret"), null);
  await assert.rejects(async () => authenticator?.authenticate("broken", "sécret"), /answered 500/);
});
