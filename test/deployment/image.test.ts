/** The Dockerfile and the containers of docker compose: what no build is needed to see. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { run } from "../support/process.ts";
import { ROOT, tool, without } from "./tools.ts";

const dockerfile = readFileSync(`${ROOT}Dockerfile`, "utf8");
/** Instructions without comments, each on one line, by stage. */
const stages = dockerfile
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, "")
  .split(/^(?=FROM )/m)
  .filter((stage) => stage.startsWith("FROM "));
const [build = "", image = ""] = stages;

test("both stages stand on the same base image, by its digest", () => {
  assert.equal(stages.length, 2);
  const bases = stages.map((stage) => /^FROM (?:--platform=\S+ )?(\S+)/.exec(stage)?.[1]);
  assert.match(bases[0] ?? "", /^node:24\.\d+\.\d+-[a-z]+-slim@sha256:[0-9a-f]{64}$/);
  assert.equal(bases[1], bases[0]);
  const named = /image\.base\.name="docker\.io\/library\/([^"]+)"/.exec(image)?.[1];
  assert.equal(named, bases[0]?.split("@")[0]);
});

test("the image's labels say what it is, and the build says which version", () => {
  const { license } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  const label = (name: string) =>
    new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]*)"`).exec(image)?.[1];
  assert.equal(label("title"), "tiled-auth");
  assert.equal(label("licenses"), license);
  assert.match(label("description") ?? "", /^Authentication server for /);
  for (const name of ["VERSION", "REVISION"]) {
    assert.ok(image.includes(`ARG ${name}=`) && label(name.toLowerCase()) === `$${name}`, name);
  }
});

test("nothing of the target's platform runs in a build, and its user is a number that is not root's", () => {
  assert.match(build, /^FROM --platform=\$BUILDPLATFORM /);
  assert.doesNotMatch(image, /^RUN /m);
  assert.match(image, /^USER 1000:1000$/m);
  assert.match(image, /^COPY --from=build --chown=1000:1000 \/app\/volume \/var\/lib$/m);
});

test("the image has the licence, and the commands by both names", () => {
  assert.match(image, /^COPY --from=build .*\/app\/LICENSE /m);
  const { bin } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  assert.match(image, /^ENV .*PATH=\/app\/bin:/m);
  for (const name of Object.keys(bin))
    assert.ok(new RegExp(`ln -s \\S+ bin/${name}( |$)`, "m").test(build), name);
});

test("the native modules have a library for each platform that the Dockerfile takes", () => {
  const lock = JSON.parse(readFileSync(`${ROOT}package-lock.json`, "utf8"));
  const cpus = [...build.matchAll(/cpu=(\w+) ;;/g)].map(([, cpu = ""]) => cpu);
  assert.deepEqual(cpus, ["x64", "arm64"]);
  for (const cpu of cpus) {
    assert.ok(existsSync(`${ROOT}node_modules/better-sqlite3/prebuilds/linux-${cpu}.node`), cpu);
    assert.ok(`node_modules/@koromix/koffi-linux-${cpu}` in lock.packages, cpu);
  }
});

test("what the build copies is not held back by .dockerignore", () => {
  const [all, ...kept] = readFileSync(`${ROOT}.dockerignore`, "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .trim()
    .split("\n");
  assert.equal(all, "*");
  const copied = [...build.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, files = ""]) => files.split(" "));
  assert.deepEqual(new Set(kept), new Set(copied.map((file) => `!${file}`)));
  for (const file of copied) assert.ok(existsSync(ROOT + file), file);
});

test("docker compose runs it with a root file system that is read-only, and asks whether it is ready", () => {
  const text = readFileSync(`${ROOT}example_configs/docker-compose/docker-compose.yml`, "utf8");
  const { services } = parse(text);
  const ours = services["tiled-auth"];
  assert.equal(ours.read_only, true);
  assert.deepEqual(ours.tmpfs, ["/tmp"]);
  const [, , entry, verb] = ours.healthcheck.test;
  assert.ok(dockerfile.includes(`["node", "${entry}", "${verb}"`));
  assert.ok(ours.healthcheck.test.includes("--ready"));
});

test("hadolint finds nothing to say", { skip: without("hadolint") }, async () => {
  const { code, stdout } = await run([tool("hadolint"), `${ROOT}Dockerfile`]);
  assert.deepEqual([code, stdout], [0, ""]);
});

test("docker compose's file fits its published schema", { skip: without("check-jsonschema") }, async () => {
  const file = `${ROOT}example_configs/docker-compose/docker-compose.yml`;
  const { code, stdout } = await run([
    tool("check-jsonschema"),
    "--builtin-schema",
    "vendor.compose-spec",
    file,
  ]);
  assert.equal(code, 0, stdout);
});
