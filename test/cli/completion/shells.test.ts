/**
 * The printed scripts in the shells themselves, with a command of this name on the PATH.
 */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Cleanup, temporaryFolder } from "../../support/folders.ts";
import { TILED } from "../../support/ours.ts";
import { run } from "../../support/process.ts";
import { tiled } from "../../support/terminal.ts";

/** Runs `program` in a folder with the files a.yml and data/a, and the command in both names on the PATH. */
async function inShell(
  cleanup: Cleanup,
  command: readonly string[],
  program: string,
): Promise<readonly string[]> {
  const folder = await temporaryFolder(cleanup);
  for (const name of ["tiled", "tiled-auth"]) {
    const file = join(folder, "bin", name);
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(file, `#!/bin/sh\nexec '${TILED.join("' '")}' "$@"\n`);
    chmodSync(file, 0o755);
  }
  const cwd = join(folder, "work");
  mkdirSync(join(cwd, "data"), { recursive: true });
  writeFileSync(join(cwd, "a.yml"), "");
  writeFileSync(join(cwd, "data", "a"), "");
  const script = join(folder, "script");
  writeFileSync(script, program);
  const env = { PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder };
  const { code, stdout, stderr } = await run([...command, script], { cwd, env });
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

/** False where the shell is installed, else the reason to skip its test. */
async function without(shell: string): Promise<string | false> {
  const found = await run(["/bin/sh", "-c", `command -v ${shell}`]);
  if (found.code === 0) return false;
  const reason = `there is no ${shell} on the PATH`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

test("bash completes verbs, choices and files, and runs nothing of the line", {
  skip: await without("bash"),
}, async (t) => {
  const lines = await inShell(
    (last) => t.after(last),
    ["bash", "--norc"],
    `
source <(tiled completion bash)
complete -p tiled
answers() {
  COMP_WORDS=(tiled "\${@:2}") COMP_CWORD=$#
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _tiled_completion tiled "$1" x
  echo "$*: \${COMPREPLY[*]}"
}
answers '' serve ''
answers in serve demo --log-level = in
answers a serve config a
answers '' serve directory ''
answers se 'x$(touch evil)\`touch evil\`' '$(touch evil)' se
ls`,
  );
  assert.deepEqual(lines, [
    "complete -F _tiled_completion tiled",
    " serve : config pyobject directory demo",
    "in serve demo --log-level = in: info",
    "a serve config a: a.yml",
    " serve directory : data",
    "se x$(touch evil)`touch evil` $(touch evil) se: serve",
    "a.yml",
    "data",
  ]);
});

test("zsh completes verbs with descriptions, choices and files", {
  skip: await without("zsh"),
}, async (t) => {
  // Outside of its line editor zsh has no completion: its helpers tell what they are asked for.
  const lines = await inShell(
    (last) => t.after(last),
    ["zsh", "-f"],
    `
compdef() { print -r -- "compdef $*" }
_describe() { print -rl -- "\${(@P)3}" }
_files() { print -r -- "files $*" }
compset() { print -r -- "compset $*" }
eval "$(tiled completion zsh)"
answers() { words=(tiled "$@"); CURRENT=$#words; PREFIX=$words[-1]; _tiled_completion || print -r -- "status $?" }
answers serve de
answers serve demo --log-level=in
answers serve config a
answers serve directory ''
answers admin backup --config=a
answers admin backup --database ''
answers '$(touch evil)' sch
ls`,
  );
  assert.deepEqual(lines, [
    "compdef _tiled_completion tiled",
    "demo:serve example data with two new accounts, all in memory",
    "--log-level=info",
    "files ",
    "files -/",
    "compset -P *=",
    "files ",
    "status 1",
    "status 1",
    "a.yml",
    "data",
  ]);
});

test("fish completes verbs with descriptions, choices and files", {
  skip: await without("fish"),
}, async (t) => {
  const lines = await inShell(
    (last) => t.after(last),
    ["fish", "--no-config"],
    `
tiled completion fish | source
tiled-auth completion fish | source
for line in 'tiled serve de' 'tiled serve demo --log-level=in' 'tiled serve config a' 'tiled serve directory d' \\
    'tiled-auth admin backup --config=d' 'tiled (touch evil) sch'
  complete -C $line
end
ls`,
  );
  assert.deepEqual(lines.slice(0, 3), [
    "demo\tserve example data with two new accounts, all in memory",
    "--log-level=info",
    "a.yml",
  ]);
  assert.match(lines[3] ?? "", /^data\//);
  assert.match(lines[4] ?? "", /^--config=data\//);
  assert.deepEqual(lines.slice(5), ["a.yml", "data"]);
});

test("the script completes the name that the command was called by", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout, stderr } = await tiled(["completion", shell]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^#.*tiled\n/);
    assert.doesNotMatch(stdout, /\beval\b/);
  }
});
