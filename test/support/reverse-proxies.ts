/**
 * The reverse proxies of `example_configs/reverse-proxy` as Debian packages them, on free ports in front of ours. Where one is not
 * installed its tests are skipped and say so; in CI they fail.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { type RequestOptions, request as send } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { eventually } from "./eventually.ts";
import type { Cleanup } from "./folders.ts";
import { freePort } from "./free-port.ts";
import { startOurs } from "./ours.ts";
import type { Server } from "./process.ts";
import { type Answer, run } from "./proxies.ts";
import { TLS_CERT, TLS_KEY } from "./tls.ts";
import { PASSWORDS } from "./toy.ts";

const FOLDER = fileURLToPath(new URL("../../example_configs/reverse-proxy", import.meta.url));

const PROGRAMS = { nginx: "/usr/sbin/nginx", caddy: "/usr/bin/caddy", haproxy: "/usr/sbin/haproxy" } as const;
export type ReverseProxy = keyof typeof PROGRAMS;

export function withoutReverseProxy(name: ReverseProxy): string | false {
  if (existsSync(PROGRAMS[name])) return false;
  const reason = `${name} is not installed: apt-get install -y ${name}`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

export interface ReverseScene {
  /** Of the proxy: https, and plain http where the example has it. */
  readonly url: string;
  readonly plain: string;
  readonly direct: Server;
  ask(path: string, options?: RequestOptions, body?: string): Promise<Answer>;
}

interface Places {
  readonly folder: string;
  readonly port: number;
  readonly plain: number;
  readonly ours: number;
  readonly dead: number;
  /** How often HAProxy asks its servers for their health. */
  readonly checks: string;
}

export async function startReverseProxy(
  cleanup: Cleanup,
  name: ReverseProxy,
  checks = "1h",
): Promise<ReverseScene> {
  const [port, plain, dead] = [await freePort(), await freePort(), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const example = parse(await readFile(`${FOLDER}/tiled-auth.yml`, "utf8"));
  example.server.public_url = url;
  example.database = undefined;
  example.log = { format: "json", level: "debug" };
  const env = { TILED_SECRET: "a key for tests only, never for real ones", ALICE_PASSWORD: PASSWORDS.alice };
  const direct = await startOurs(cleanup, example, { env });
  const folder = await mkdtemp(join(tmpdir(), "tiled-auth-"));
  await writeFile(`${folder}/cert.pem`, TLS_CERT);
  await writeFile(`${folder}/key.pem`, TLS_KEY);
  await writeFile(`${folder}/both.pem`, TLS_CERT + TLS_KEY);
  const ours = Number(/:(\d+)$/.exec(direct.url)?.[1]);
  const said = run(cleanup, await COMMANDS[name]({ folder, port, plain, ours, dead, checks }), folder);
  const ask: ReverseScene["ask"] = async (path, options = {}, body) => {
    const request = send(url + path, { rejectUnauthorized: false, agent: false, ...options });
    request.end(body);
    const [response] = await once(request, "response");
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  const up = () =>
    ask("/login").then(
      ({ status }) => status === 200,
      () => false,
    );
  if (!(await eventually(30, up))) throw new Error(`${name} does not answer:\n${said()}`);
  return { url, plain: `http://127.0.0.1:${plain}`, direct, ask };
}

const COMMANDS: Readonly<Record<ReverseProxy, (places: Places) => Promise<readonly string[]>>> = {
  nginx: async ({ folder, port, plain, ours }) => {
    const app = (await readFile(`${FOLDER}/nginx.conf`, "utf8"))
      .replace("listen 443 ", `listen 127.0.0.1:${port} `)
      .replace("listen 80;", `listen 127.0.0.1:${plain};`)
      .replace("/etc/ssl/tiled.example.org.pem", `${folder}/cert.pem`)
      .replace("/etc/ssl/tiled.example.org.key", `${folder}/key.pem`)
      .replace("127.0.0.1:8000", `127.0.0.1:${ours}`);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    await writeFile(`${folder}/app.conf`, app);
    await writeFile(
      `${folder}/nginx.conf`,
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
events {}
http { access_log off; ${paths.join(" ")} include ${folder}/app.conf; }
`,
    );
    return [PROGRAMS.nginx, "-p", folder, "-c", `${folder}/nginx.conf`];
  },
  caddy: async ({ folder, port, ours }) => {
    const file = (await readFile(`${FOLDER}/Caddyfile`, "utf8"))
      .replace(
        "tiled.example.org {",
        `https://127.0.0.1:${port} {\n\ttls ${folder}/cert.pem ${folder}/key.pem`,
      )
      .replace("127.0.0.1:8000", `127.0.0.1:${ours}`);
    const options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n";
    await writeFile(`${folder}/Caddyfile`, options + file);
    return [PROGRAMS.caddy, "run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
  },
  haproxy: async ({ folder, port, plain, ours, dead, checks }) => {
    const file = (await readFile(`${FOLDER}/haproxy.cfg`, "utf8"))
      .replace("bind :80\n", `bind 127.0.0.1:${plain}\n`)
      .replace("bind :443 ", `bind 127.0.0.1:${port} `)
      .replace("/etc/haproxy/tiled.example.org.pem", `${folder}/both.pem`)
      .replace("127.0.0.1:8000", `127.0.0.1:${ours}`)
      .replace("127.0.0.1:8001", `127.0.0.1:${dead}`)
      .replace("inter 5s", `inter ${checks}`);
    await writeFile(`${folder}/haproxy.cfg`, file);
    return [PROGRAMS.haproxy, "-db", "-f", `${folder}/haproxy.cfg`];
  },
};
