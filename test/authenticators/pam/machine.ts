/**
 * Accounts and PAM services of this machine for tests, made by root and gone afterwards, also when a test fails.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const LIBRARIES = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", `/lib/${arch()}`, `/usr/lib/${arch()}`];

function arch(): string {
  return `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
}

/** Why PAM cannot be tested here; undefined where it can. */
export function obstacle(): string | undefined {
  if (process.platform !== "linux") return `PAM is tested on Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "only root can make accounts";
  if (!LIBRARIES.some((folder) => existsSync(`${folder}/libpam.so.0`))) return "there is no libpam.so.0";
  if (!existsSync("/etc/pam.d")) return "there is no /etc/pam.d";
  if (!["/usr/sbin/useradd", "/sbin/useradd"].some(existsSync)) return "there is no useradd";
  return undefined;
}

const PREFIX = "tauth";
const SERVICES = "/etc/pam.d";

export class Machine {
  /** Names of this run's own, so that two runs do not meet. */
  readonly #prefix = `${PREFIX}${process.pid}`;

  constructor() {
    // What a run that was killed has left.
    for (const pid of pidsOfNames()) if (!existsSync(`/proc/${pid}`)) clean(`${PREFIX}${pid}`);
    process.once("exit", () => clean(this.#prefix));
  }

  /** The account's full name. */
  account(name: string, password: string): string {
    const full = `${this.#prefix}${name}`;
    run("useradd", ["--badname", "--no-create-home", "--no-user-group", "--shell", "/bin/false", full]);
    run("chpasswd", [], `${full}:${password}\n`);
    return full;
  }

  change(command: "usermod" | "chage" | "passwd", args: readonly string[], name: string): void {
    run(command, [...args, name]);
  }

  /** The service's full name. */
  service(name: string, lines: readonly string[]): string {
    const full = `${this.#prefix}-${name}`;
    writeFileSync(`${SERVICES}/${full}`, `${lines.join("\n")}\n`);
    return full;
  }
}

function names(): { readonly accounts: readonly string[]; readonly services: readonly string[] } {
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":", 1)[0] ?? "");
  const ours = (name: string): boolean => new RegExp(`^${PREFIX}\\d`).test(name);
  return { accounts: accounts.filter(ours), services: readdirSync(SERVICES).filter(ours) };
}

function pidsOfNames(): ReadonlySet<string> {
  const { accounts, services } = names();
  return new Set([...accounts, ...services].map((name) => /\d+/.exec(name)?.[0] ?? ""));
}

function clean(prefix: string): void {
  const ours = (name: string): boolean => name.startsWith(prefix) && !/^\d/.test(name.slice(prefix.length));
  for (const name of names().services.filter(ours)) rmSync(`${SERVICES}/${name}`, { force: true });
  for (const name of names().accounts.filter(ours)) run("userdel", [name]);
}

function run(command: string, args: readonly string[], input = ""): void {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  execFileSync(command, args, { input, env, stdio: ["pipe", "pipe", "pipe"] });
}
