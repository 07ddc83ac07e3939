/** The files of the hosted CI and of the dependency bot: valid, with few rights, and running nothing that can change by itself. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { run } from "../support/process.ts";
import { ROOT, tool, without } from "./tools.ts";

const FOLDER = `${ROOT}.github`;
const WORKFLOWS = readdirSync(`${FOLDER}/workflows`);
const read = (path: string) => parse(readFileSync(`${FOLDER}/${path}`, "utf8"));

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}
const jobs = (workflow: string) => Object.entries(read(`workflows/${workflow}`).jobs as Record<string, Job>);

test("each file fits its published schema", { skip: without("check-jsonschema") }, async () => {
  for (const [schema, ...files] of [
    ["github-workflows", ...WORKFLOWS.map((name) => `workflows/${name}`)],
    ["dependabot", "dependabot.yml"],
  ]) {
    const paths = files.map((file) => `${FOLDER}/${file}`);
    const { code, stdout } = await run([
      tool("check-jsonschema"),
      "--builtin-schema",
      `vendor.${schema}`,
      ...paths,
    ]);
    assert.equal(code, 0, stdout);
  }
});

test("actions are named by the hash of a commit, with the version beside it", () => {
  for (const name of WORKFLOWS) {
    const text = readFileSync(`${FOLDER}/workflows/${name}`, "utf8");
    for (const [line, action = ""] of text.matchAll(/^.*uses: ([^\n]*)$/gm)) {
      if (!action.startsWith("./"))
        assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line);
    }
  }
});

test("a workflow may read the code; only the release's jobs may write, each one thing", () => {
  for (const name of WORKFLOWS) {
    assert.deepEqual(read(`workflows/${name}`).permissions, { contents: "read" }, name);
    const writing = jobs(name).flatMap(([job, { permissions = {} }]) =>
      Object.keys(permissions)
        .filter((right) => permissions[right] === "write")
        .map((right) => `${job}: ${right}`),
    );
    assert.deepEqual(writing, name === "release.yml" ? ["package: contents", "image: packages"] : [], name);
  }
});

test("CI runs .ci/run, and a release everything of CI first", () => {
  const runs = jobs("ci.yml").flatMap(([, { steps = [] }]) => steps.flatMap((step) => step.run ?? []));
  assert.ok(runs.includes(".ci/run"));
  const { ci, ...others } = read("workflows/release.yml").jobs;
  assert.equal(ci.uses, "./.github/workflows/ci.yml");
  for (const job of Object.values<{ needs: string }>(others)) assert.equal(job.needs, "ci");
});

test("no text of a pull request or a tag becomes part of a script", () => {
  for (const name of WORKFLOWS) {
    for (const [job, { steps = [] }] of jobs(name)) {
      for (const step of steps) assert.doesNotMatch(step.run ?? "", /\$\{\{/, `${name}: ${job}`);
    }
  }
});

test("the dependency bot looks where there is something to update", () => {
  const files: Readonly<Record<string, string>> = {
    npm: "package-lock.json",
    docker: "Dockerfile",
    "docker-compose": "docker-compose.yml",
    "github-actions": ".github/workflows/ci.yml",
    pip: "requirements.txt",
  };
  for (const { "package-ecosystem": ecosystem, directory, groups } of read("dependabot.yml").updates) {
    assert.ok(existsSync(`${ROOT}${directory.slice(1)}/${files[ecosystem]}`), ecosystem);
    assert.ok(Object.keys(groups).length > 0, ecosystem);
  }
});
