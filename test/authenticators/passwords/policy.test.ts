import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { brokenRule, readBlocklist } from "../../../src/authenticators/passwords/policy.ts";
import { temporaryFolder } from "../../support/folders.ts";

const NAMES = ["ada.lovelace@lab.org", "tiled", "tiled.lab.org"];
const check = (password: string, minLength = 15, blocklist: ReadonlySet<string> = new Set()) =>
  brokenRule(password, NAMES, { minLength }, blocklist);

test("long passwords of any characters are allowed", async () => {
  for (const password of [
    "correct horse battery staple",
    "пароль для лаборатории",
    "x7#kQ!m2Zr@9Lw4",
    "🦊🐢🦉🐝🦋🐙🦀🐬🦔🐧🦜🐌🦎🐞🦩",
    `${"a".repeat(10)}bcdqweirhgvasdvm zvpaz`,
  ])
    assert.equal(await check(password), undefined, password);
});

test("passwords that break a rule are refused with the rule", async () => {
  for (const [password, why] of [
    ["short one", /too short: it needs 15/],
    ["x".repeat(257), /too long|repeats/],
    ["correct horse\u0007battery", /control characters/],
    ["correct horse\nbattery", /control characters/],
    ["abcabcabcabcabcabc", /repeats/],
    ["aaaaaaaaaaaaaaaa", /repeats/],
    ["12345678-12345678", /row|repeats/],
    ["abcdefghijklmnopq", /row/],
    ["qwertyuiopasdfghjkl", /row/],
    ["9876543210poiuytrewq", /row/],
    ["1qaz2wsx3edc4rfv5tgb", /row/],
    ["AdaLovelace-2026", /your name/],
    ["tiled-lab-org-99", /name of this site/],
    ["1234567!!!password", /common/],
    ["!!!PassWord!!!2026!!", /common/],
  ] as const)
    assert.match((await check(password)) ?? "allowed", why, password);
});

test("the operator's list is read, compared folded, and named if it is missing", async () => {
  const folder = await temporaryFolder(after);
  await writeFile(join(folder, "words.txt"), "Beamline Seven Forever\r\n\r\nother\n");
  const list = await readBlocklist({ minLength: 15, blocklist: "words.txt" }, folder);
  assert.match((await check("beamline SEVEN forever", 15, list)) ?? "", /common/);
  assert.match((await check("beamline seven forever99", 15, list)) ?? "", /common/);
  assert.equal(await check("beamline eight forever", 15, list), undefined);
  await assert.rejects(readBlocklist({ minLength: 15, blocklist: "gone.txt" }, folder), {
    message: /^args\.password\.blocklist: .*gone\.txt cannot be read/,
  });
});
