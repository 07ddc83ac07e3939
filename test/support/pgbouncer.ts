/**
 * A PgBouncer as Debian packages it, with its defaults but for the places, in front of a private PostgreSQL. Where it is not
 * installed its tests are skipped and say so; in CI they fail.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cleanup } from "./folders.ts";
import { freePort } from "./free-port.ts";
import { type Postgres, ready, unprivileged } from "./postgres.ts";

const PROGRAM = "/usr/sbin/pgbouncer";

/** What a test passes as `skip`. */
export function withoutPgBouncer(): string | false {
  if (existsSync(PROGRAM)) return false;
  const reason = "pgbouncer is not installed: apt-get install -y pgbouncer";
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

/** `ini`: the text of its configuration, from the places that are given. Gives the port. */
export async function startPgBouncer(
  cleanup: Cleanup,
  postgres: Postgres,
  ini: (place: { readonly port: number; readonly folder: string }) => string,
  user: { readonly name: string; readonly password: string } = { name: "tests", password: "" },
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tiled-auth-pgbouncer-"));
  const port = await freePort();
  const owner = unprivileged();
  const [config, users] = [join(folder, "pgbouncer.ini"), join(folder, "userlist.txt")];
  writeFileSync(config, ini({ port, folder }));
  writeFileSync(users, `"${user.name}" "${user.password}"\n`);
  if (owner.uid !== undefined && owner.gid !== undefined)
    for (const path of [folder, config, users]) chownSync(path, owner.uid, owner.gid);
  const child = spawn(PROGRAM, [config], { ...owner, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "exit");
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  cleanup(async () => {
    kill();
    await ended;
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  });
  await ready(() => {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended:\n${said}`);
    // Without a password it is refused, by one that is up.
    const refused = (error: { code?: string }) => {
      if (error.code === "ECONNREFUSED") throw error;
    };
    return postgres.query(`postgresql://tests@127.0.0.1:${port}/postgres`, "select 1").catch(refused);
  });
  return port;
}

/** The databases of the server, and nothing else that is not a default. */
export function plainIni(postgres: Postgres, mode: "session" | "transaction", more = "") {
  return ({ port, folder }: { readonly port: number; readonly folder: string }) => `[databases]
* = host=127.0.0.1 port=${postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/userlist.txt
pool_mode = ${mode}
${more}`;
}
