/**
 * Runs the `console` blocks of a page in one shell, in their order, and compares what each command prints with what the page shows.
 * `…` on a page stands for any text, and eight hexadecimal digits that begin a line for those of any key.
 */
import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cleanup, temporaryFolder } from "../support/folders.ts";
import { TILED } from "../support/ours.ts";
import { run } from "../support/process.ts";

const MARK = "\u0001";
/** What `jq` does on the page. */
const JQ = `let text = "";
for await (const part of process.stdin) text += part;
const path = process.argv.at(-1);
const value = JSON.parse(text);
console.log(path === "length" ? value.length : path.match(/\\w+/g).reduce((at, key) => at[key], value));
`;

interface Step {
  readonly command: string;
  readonly shown: string;
}

function stepsOf(page: string): Step[] {
  const blocks = [...page.matchAll(/^```console\n(.*?)^```/gms)].map(([, text = ""]) => text);
  return blocks
    .join("")
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = "", ...lines] = text.split("\n");
      return { command, shown: lines.join("\n") };
    });
}

/** What a person types stands in the shown dialogue; it is read from stdin here, which echoes nothing. */
function typed(
  shown: string,
  passwords: Readonly<Record<string, string>>,
): { readonly input: string; readonly shown: string } {
  const [dialogue = "", username = ""] = /^Username: (\w+)\nPassword:\n/.exec(shown) ?? [];
  if (dialogue === "") return { input: "", shown };
  const input = `${username}\n${passwords[username]}\n`;
  return { input, shown: `Username: Password: ${shown.slice(dialogue.length)}` };
}

function pattern(text: string): RegExp {
  const parts = text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*").replaceAll(/^[0-9a-f]{8}\b/gm, "[0-9a-f]{8}")}$`);
}

interface Surroundings {
  /** The address on the page, and that of the server. */
  readonly shownUrl: string;
  readonly url: string;
  readonly passwords: Readonly<Record<string, string>>;
}

/** Returns the home folder of the shell, where its logins are. */
export async function assertConsole(cleanup: Cleanup, page: string, around: Surroundings): Promise<string> {
  const { shownUrl, url, passwords } = around;
  const home = await temporaryFolder(cleanup);
  const bin = join(home, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "jq.mjs"), JQ);
  const [node, program] = TILED;
  for (const [name, line] of [
    ["tiled", `"${node}" "${program}" "$@"`],
    ["jq", `"${node}" "${bin}/jq.mjs" "$@"`],
  ] as const) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${line}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const steps = stepsOf(page);
  assert.ok(steps.length > 0);
  // A secret of the page is the one that was just printed.
  const script = steps.map(({ command, shown }, index) => {
    const line = command
      .replace(/^\.\//, "")
      .replaceAll(shownUrl, url)
      .replace(/^(tiled api_key revoke) .*/, "$1 $FIRST_EIGHT");
    const input = typed(shown, passwords).input;
    const kept = /^tiled api_key create/.test(line)
      ? `KEY=$(${line}); echo $KEY; FIRST_EIGHT=$(echo $KEY | cut -c1-8)`
      : line;
    return `printf '${MARK}${index}\\n'\n${input === "" ? kept : `${line} <<'INPUT'\n${input}INPUT`}`;
  });
  const env = {
    HOME: home,
    PATH: `${bin}:${process.env["PATH"]}`,
    TILED_FORCE_PROMPT: "1",
    XDG_CACHE_HOME: undefined,
    XDG_CONFIG_HOME: undefined,
    TILED_API_KEY: undefined,
    TILED_CACHE_DIR: undefined,
    TILED_PROFILES: undefined,
    FORCE_COLOR: undefined,
  };
  const { stdout } = await run(["bash", "-c", `exec 2>&1\n${script.join("\n")}`], { env });
  const printed = stdout
    .split(MARK)
    .slice(1)
    .map((part) => part.slice(part.indexOf("\n") + 1));
  for (const [index, { command, shown }] of steps.entries()) {
    const output = (printed[index] ?? "").replaceAll(home, "~").replaceAll(url, shownUrl);
    assert.match(
      output,
      pattern(typed(shown, passwords).shown),
      `${command}\nprinted:\n${output}\nshown:\n${shown}`,
    );
  }
  return home;
}
