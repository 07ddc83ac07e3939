/**
 * The Helm chart, rendered by `helm` where it is on the path, else by Helm's library in `requirements.txt`. Where neither is
 * there the chart's tests are skipped and say so; in CI they fail.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { run } from "../support/process.ts";
import { ROOT, tool } from "./tools.ts";

export const CHART = `${ROOT}example_configs/helm/tiled-auth`;
/** The oldest and the newest Kubernetes that the chart is checked against. */
export const KUBERNETES = ["1.30", "1.37"] as const;

// biome-ignore lint/suspicious/noExplicitAny: a manifest or values, whose schemas are checked by other programs.
export type Yaml = any;

const helm = runs("helm", "version");

/** What a suite passes as `skip`: false where the chart can be rendered, else the reason. */
export function withoutHelm(): string | false {
  if (helm || runs(tool("python"), "-c", "import helm_python")) return false;
  const reason =
    "helm is not on the path, and helm-python-sdk is not installed (test/deployment/requirements.txt)";
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

/** The values of an example, as an object. */
export const example = (name: string): Yaml =>
  parse(readFileSync(`${ROOT}example_configs/helm/${name}.yml`, "utf8"));

/** The manifests as text; throws with Helm's own message. */
export async function rendered(values: Yaml, folder: string): Promise<string> {
  const file = join(folder, "values.json");
  await writeFile(file, JSON.stringify(values));
  const { code, stdout, stderr } = await run(
    helm
      ? ["helm", "template", "demo", CHART, "--kube-version", KUBERNETES[0], "--values", file]
      : [tool("python"), `${import.meta.dirname}/render.py`, CHART, file],
  );
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** The manifests by kind. */
export async function manifests(values: Yaml, folder: string): Promise<Readonly<Record<string, Yaml>>> {
  const documents = parseAllDocuments(await rendered(values, folder));
  return Object.fromEntries(
    documents.map((document: Yaml) => document.toJS()).map((manifest: Yaml) => [manifest.kind, manifest]),
  );
}

function runs(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
