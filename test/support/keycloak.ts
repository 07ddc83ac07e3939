/**
 * A real Keycloak, from the distribution that `.ci/run` leaves in Maven's local repository, with a realm of our own. It
 * needs Java and most of a minute to start.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Cleanup, temporaryFolder } from "./folders.ts";
import { run } from "./process.ts";

const ARCHIVES = ".m2/repository/org/keycloak/keycloak-quarkus-dist/*/keycloak-quarkus-dist-*.tar.gz";
const PATIENCE_MS = 240_000;

function archive(): string | undefined {
  return globSync(join(homedir(), ARCHIVES)).sort().at(-1);
}

/** Why tests with Keycloak are skipped; false where they are not. In CI it has to be there wherever Java is. */
export function withoutKeycloak(): string | false {
  if (spawnSync("java", ["-version"]).status !== 0) return "Java is missing";
  if (archive() !== undefined) return false;
  const reason = "Keycloak is missing: mvn dependency:get, as .ci/run does";
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

/** The realm's address. */
export async function startKeycloak(cleanup: Cleanup, port: number, realm: object): Promise<string> {
  const folder = await temporaryFolder(cleanup);
  await run(["tar", "xzf", archive() ?? "", "-C", folder, "--strip-components", "1"]);
  await mkdir(join(folder, "data/import"), { recursive: true });
  await writeFile(join(folder, "data/import/lab-realm.json"), JSON.stringify({ ...realm, realm: "lab" }));
  const args = ["start-dev", "--import-realm", "--http-host", "127.0.0.1", "--http-port", String(port)];
  // A group of its own: its script starts the real process as a child.
  const child = spawn(join(folder, "bin/kc.sh"), args, { detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      output += part;
    });
  }
  const ended = once(child, "exit");
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, "SIGKILL");
    }
  };
  process.once("exit", kill);
  cleanup(async () => {
    kill();
    await ended;
    process.off("exit", kill);
  });
  const url = `http://127.0.0.1:${port}/realms/lab`;
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`Keycloak does not answer:\n${output}`);
    }
    await delay(250);
  }
  return url;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
