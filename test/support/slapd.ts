/**
 * OpenLDAP's server for tests: private, in a temporary folder, on free ports of this machine, with a certificate of an
 * authority that the test makes. Skips the test visibly where there is no slapd; on CI its absence is a failure.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Authority, makeAuthority } from "./authority.ts";
import { freePort } from "./free-port.ts";

const SLAPD = "/usr/sbin/slapd";
export const SUFFIX = "dc=lab,dc=org";
export const SEARCH_USER = `cn=search,${SUFFIX}`;
export const SEARCH_PASSWORD = "search-pa55";
const ADMIN = `cn=admin,${SUFFIX}`;
const ADMIN_PASSWORD = "admin-pa55";
const START_TIMEOUT = 10_000;

export interface Slapd {
  readonly port: number;
  readonly tlsPort: number;
  readonly authority: Authority;
  /** Applies an LDIF of changes as the directory's administrator. */
  modify(ldif: string): void;
  /** What slapd wrote: one line for each operation. */
  log(): string;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** What a suite passes as `skip`. */
export function withoutSlapd(): string | false {
  if (existsSync(SLAPD)) return false;
  const reason = "no slapd on this machine: apt-get install slapd ldap-utils";
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

/** `entries`: LDIF below the suffix, after the search user. `configuration`: lines of the database's section. */
export async function startSlapd(entries: string, configuration = ""): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), "tiled-auth-slapd-"));
  const [port, tlsPort] = [await freePort(), await freePort()];
  const authority = makeAuthority(folder);
  const { cert, key } = authority.issue("localhost");
  mkdirSync(join(folder, "db"));
  const file = join(folder, "slapd.conf");
  writeFileSync(
    file,
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile ${folder}/slapd.pid
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
sizelimit 500
loglevel stats
database mdb
suffix "${SUFFIX}"
rootdn "${ADMIN}"
rootpw ${ADMIN_PASSWORD}
directory ${folder}/db
maxsize 268435456
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by * read
${configuration}
`,
  );
  const ldif = join(folder, "entries.ldif");
  writeFileSync(
    ldif,
    `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
o: Lab
dc: lab

dn: ${SEARCH_USER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: ${SEARCH_PASSWORD}

${entries}`,
  );
  try {
    execFileSync("/usr/sbin/slapadd", ["-f", file, "-q", "-l", ldif], { stdio: "pipe" });
  } catch (error) {
    throw new Error(`slapadd: ${(error as { stderr?: Buffer }).stderr}`);
  }
  let process: ChildProcess | undefined;
  let output = "";
  const url = `ldap://127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    const urls = `${url} ldaps://127.0.0.1:${tlsPort}`;
    const started = spawn(SLAPD, ["-f", file, "-h", urls, "-d", "stats"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    started.stderr.on("data", (data: Buffer) => {
      output += data.toString();
    });
    process = started;
    const end = Date.now() + START_TIMEOUT;
    while (!(await accepts(port)) || !(await accepts(tlsPort))) {
      if (started.exitCode !== null || Date.now() > end) throw new Error(`slapd does not start:\n${output}`);
      await sleep(20);
    }
  };
  const stop = async (): Promise<void> => {
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, "exit");
    process.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    port,
    tlsPort,
    authority,
    start,
    stop,
    log: () => output,
    modify: (changes) => {
      execFileSync("ldapmodify", ["-x", "-H", url, "-D", ADMIN, "-w", ADMIN_PASSWORD], {
        input: changes,
        stdio: "pipe",
      });
    },
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
