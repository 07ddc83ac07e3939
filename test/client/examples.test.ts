/** The examples in the client's documentation comments, as a stranger's project compiles them, in Node and for a browser. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/folders.ts";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

const COMMON = {
  target: "es2022",
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
};
const SETTINGS = {
  node: { ...COMMON, module: "node16", types: ["node"] },
  browser: {
    ...COMMON,
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2022", "dom", "dom.iterable"],
    types: [],
  },
};

/** Of a folder's files, by file and number. */
async function examplesIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const file of (await readdir(join(ROOT, folder))).filter((name) => name.endsWith(".ts"))) {
    const text = await readFile(join(ROOT, folder, file), "utf8");
    for (const [index, [, code = ""]] of [
      ...text.matchAll(/@example\n\s*\* ```ts\n(.*?)\s*\* ```/gs),
    ].entries())
      found.set(`${file.replace(".ts", "")}-${index}.ts`, code.replace(/^\s*\* ?/gm, ""));
  }
  return found;
}

describe("the examples compile", () => {
  let project: string;
  before(async (t) => {
    void t;
    project = await temporaryFolder((last) => process.once("exit", () => void last()));
    const installed = join(project, "node_modules/tiled-auth");
    await mkdir(join(installed, "dist"), { recursive: true });
    await copyFile(join(ROOT, "package.json"), join(installed, "package.json"));
    await symlink(join(ROOT, "node_modules/@types"), join(project, "node_modules/@types"));
    await symlink(join(ROOT, "node_modules/undici-types"), join(project, "node_modules/undici-types"));
    await writeFile(
      join(project, "package.json"),
      JSON.stringify({ name: "lab", type: "module", private: true }),
    );
    const build = join(ROOT, "tsconfig.build.json");
    await run(process.execPath, [TSC, "-p", build, "--outDir", join(installed, "dist")]);
  });

  for (const [name, folders] of [
    ["node", ["src/client", "src/client/node"]],
    ["browser", ["src/client"]],
  ] as const)
    test(name, async () => {
      const folder = join(project, name);
      await mkdir(folder);
      for (const from of folders)
        for (const [file, code] of await examplesIn(from)) await writeFile(join(folder, file), code);
      assert.ok((await readdir(folder)).length >= 7);
      const settings = { compilerOptions: SETTINGS[name], include: ["*.ts"] };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
      const { stdout } = await run(process.execPath, [TSC, "-p", folder]).catch((error) => error);
      assert.equal(stdout, "");
    });
});
