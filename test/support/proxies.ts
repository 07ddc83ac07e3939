/**
 * nginx and Caddy as Debian packages them, with the configurations of `example_configs` on free ports, in front of ours and
 * of an application that shows what reaches it. Where one is not installed its tests are skipped and say so; in CI they fail.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer, type IncomingHttpHeaders } from "node:http";
import { type RequestOptions, request as send } from "node:https";
import type { AddressInfo } from "node:net";
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
import { TLS_CERT, TLS_KEY } from "./tls.ts";
import { PASSWORDS } from "./toy.ts";

const EXAMPLES = fileURLToPath(new URL("../../example_configs", import.meta.url));

export const PROGRAMS = { nginx: "/usr/sbin/nginx", caddy: "/usr/bin/caddy" } as const;
export type ProxyName = keyof typeof PROGRAMS;

/** What a suite passes as `skip`: false where the proxy is installed, else the reason. */
export function withoutProxy(name: ProxyName): string | false {
  if (existsSync(PROGRAMS[name])) return false;
  const reason = `${name} is not installed: apt-get install -y ${name}`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

interface Shown {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ProxyScene {
  /** Of the proxy. */
  readonly url: string;
  /** Ours, past the proxy. */
  readonly direct: Server;
  readonly application: HttpServer;
  /** What reached the application. */
  readonly shown: Shown[];
  ask(path: string, options?: RequestOptions, body?: string): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export async function startProxy(cleanup: Cleanup, name: ProxyName): Promise<ProxyScene> {
  const port = await freePort();
  const { application, shown } = await startApplication(cleanup);
  const example = parse(await readFile(`${EXAMPLES}/${name}/tiled-auth.yml`, "utf8"));
  example.server.verify_hosts = [`127.0.0.1:${port}`];
  example.database = undefined;
  const direct = await startOurs(cleanup, example, {
    env: { TILED_SECRET: "a key for tests only, never for real ones", ALICE_PASSWORD: PASSWORDS.alice },
  });
  const folder = await mkdtemp(join(tmpdir(), "tiled-auth-"));
  await writeFile(`${folder}/cert.pem`, TLS_CERT);
  await writeFile(`${folder}/key.pem`, TLS_KEY);
  const places = {
    folder,
    port,
    ours: Number(new URL(direct.url).port),
    application: (application.address() as AddressInfo).port,
  };
  const said = await START[name](cleanup, places);
  const url = `https://127.0.0.1:${port}`;
  const ask: ProxyScene["ask"] = async (path, options = {}, body) => {
    const request = send(url + path, { rejectUnauthorized: false, ...options });
    request.end(body);
    const [response] = await once(request, "response");
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  const up = async () => {
    try {
      return (await ask("/login")).status === 200;
    } catch {
      return false;
    }
  };
  if (!(await eventually(20, up))) throw new Error(`${name} does not answer:\n${said()}`);
  return { url, direct, application, shown, ask };
}

async function startApplication(cleanup: Cleanup): Promise<{ application: HttpServer; shown: Shown[] }> {
  const shown: Shown[] = [];
  const application = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    shown.push({ method, url, headers, body: await text(request) });
    response.writeHead(200, { "content-type": "text/html" }).end(`<h1>The application</h1><p>${url}</p>`);
  }).listen(0, "127.0.0.1");
  await once(application, "listening");
  cleanup(async () => {
    application.closeAllConnections();
    application.close();
  });
  return { application, shown };
}

interface Places {
  readonly folder: string;
  readonly port: number;
  readonly ours: number;
  readonly application: number;
}

const START: Readonly<Record<ProxyName, (cleanup: Cleanup, places: Places) => Promise<() => string>>> = {
  nginx: async (cleanup, { folder, port, ours, application }) => {
    const app = (await readFile(`${EXAMPLES}/nginx/app.conf`, "utf8"))
      .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
      .replace("/etc/ssl/data.example.org.pem", `${folder}/cert.pem`)
      .replace("/etc/ssl/data.example.org.key", `${folder}/key.pem`)
      .replace("127.0.0.1:8000", `127.0.0.1:${ours}`)
      .replace("127.0.0.1:3000", `127.0.0.1:${application}`);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    await writeFile(
      `${folder}/nginx.conf`,
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
events {}
http { access_log off; ${paths.join(" ")} include ${folder}/app.conf; }
`,
    );
    await writeFile(`${folder}/app.conf`, app);
    return run(cleanup, [PROGRAMS.nginx, "-p", folder, "-c", `${folder}/nginx.conf`], folder);
  },
  caddy: async (cleanup, { folder, port, ours, application }) => {
    const file = (await readFile(`${EXAMPLES}/caddy/Caddyfile`, "utf8"))
      .replace(
        "data.example.org {",
        `https://127.0.0.1:${port} {\n\ttls ${folder}/cert.pem ${folder}/key.pem`,
      )
      .replaceAll("127.0.0.1:8000", `127.0.0.1:${ours}`)
      .replaceAll("127.0.0.1:3000", `127.0.0.1:${application}`);
    const options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n";
    await writeFile(`${folder}/Caddyfile`, options + file);
    return run(
      cleanup,
      [PROGRAMS.caddy, "run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"],
      folder,
    );
  },
};

/** What it has printed so far. */
export function run(
  cleanup: Cleanup,
  [program = "", ...args]: readonly string[],
  folder: string,
): () => string {
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"], env });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    output += part;
  });
  const ended = once(child, "exit");
  cleanup(async () => {
    child.kill("SIGTERM");
    await ended;
    // Not before: it takes its own files away.
    await rm(folder, { recursive: true, force: true });
  });
  return () => output;
}
