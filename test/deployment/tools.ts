/**
 * The linters and schemas of `requirements.txt`, in the folder `deployment` of the tests' virtual environment. Where they are not
 * installed the tests that need them are skipped and say so; in CI they fail.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { program } from "../support/python.ts";

/** The repository's root, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A program that `requirements.txt` installs. */
export const tool = (name: string) => program(`../deployment/bin/${name}`);

/** What a test passes as `skip`: false where the tool is installed, else the reason. */
export function without(name: string): string | false {
  if (existsSync(tool(name))) return false;
  const reason = `${name} is not installed: python3 -m venv .venv/deployment && .venv/deployment/bin/pip install -r test/deployment/requirements.txt`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}
