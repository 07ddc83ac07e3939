import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { TREES, withFiles, wrong } from "./support.ts";

const CONFIG = `env_file: secrets.env\nauthentication: {single_user_api_key: $KEY}\n${TREES}`;
const KEY = "0123456789abcdef";

/** The key of the single user; the variables of the file are written beside the configuration. */
function loaded(lines: string, env: Readonly<Record<string, string>> = {}, mode = 0o600) {
  return withFiles(CONFIG, (path) => {
    const file = join(dirname(path), "secrets.env");
    writeFileSync(file, lines);
    chmodSync(file, mode);
    const { authentication, warnings } = loadConfig(path, env);
    return { key: authentication.singleUserApiKey?.reveal(), warnings };
  });
}

describe("env_file", () => {
  it("supplies the variables that the environment does not set, from the configuration's folder", () => {
    assert.deepEqual(loaded(`# the key\nOTHER=1\nKEY=${KEY}\n`), { key: KEY, warnings: [] });
    assert.equal(loaded(`export KEY="${KEY}"\r\n`).key, KEY);
    assert.equal(loaded(`KEY=${KEY}`, { KEY: `${KEY}2` }).key, `${KEY}2`);
  });

  it("has no effect on variables that configure the server without `$NAME`", () => {
    assert.equal(loaded(`KEY=${KEY}\nTILED_SINGLE_USER_API_KEY=ffffffffffffffff`).key, KEY);
    assert.deepEqual(loaded(`KEY=${KEY}\nTILED_SECRET_KEY=x`).warnings, []);
  });

  it("is told about when others may read it", { skip: process.platform === "win32" }, () => {
    assert.match(loaded(`KEY=${KEY}`, {}, 0o644).warnings.join(), /:1: env_file: .*chmod 600/);
    assert.deepEqual(loaded(`KEY=${KEY}`, {}, 0o640).warnings, []);
  });

  it("must exist, be a text file, and be named in the configuration itself", () => {
    assert.match(wrong(CONFIG).join(), /^1 env_file: .*secrets\.env: there is no such file/);
    assert.match(wrong(`env_file: $FILE\n${TREES}`, { FILE: "x" }).join(), /^1 env_file: .*variable/);
    assert.match(wrong(`env_file: [a]\n${TREES}`).join(), /^1 env_file: /);
    assert.match(wrong(`env_file: "a\\0b"\n${TREES}`).join(), /^1 env_file: /);
    assert.match(wrong(TREES, { TILED_ENV_FILE: '"x.env"' }).join(), /TILED_ENV_FILE|no effect/);
    withFiles(CONFIG, (path) => {
      mkdirSync(join(dirname(path), "secrets.env"));
      assert.throws(() => loadConfig(path, {}), /secrets\.env: this is not a file/);
    });
  });

  it("an error names no value of the file", () => {
    withFiles(CONFIG.replace("$KEY", "$KEYS"), (path) => {
      writeFileSync(join(dirname(path), "secrets.env"), `KEY=${KEY}`);
      assert.throws(
        () => loadConfig(path, {}),
        (error: Error) => error.message.includes("'KEYS' is not set") && !error.message.includes(KEY),
      );
    });
  });
});
