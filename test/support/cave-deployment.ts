/**
 * The deployment of `example_configs/cave` on free ports of localhost, its files and the commands of docs/cave.md changed only in
 * host names, ports and paths: the gateway with HTTPS, ours, and the service behind the real middle_auth_client.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { request as send } from "node:https";
import { fileURLToPath } from "node:url";
import { caveProgram } from "./cave.ts";
import { eventually } from "./eventually.ts";
import { type Cleanup, temporaryFolder } from "./folders.ts";
import { freePort } from "./free-port.ts";
import { TILED } from "./ours.ts";
import { run as runToEnd, type Server, startServer } from "./process.ts";
import { PROGRAMS, type ProxyName, run } from "./proxies.ts";
import { AUTHORITY_CERT, SIGNED_CERT, SIGNED_KEY } from "./tls.ts";

const EXAMPLE = fileURLToPath(new URL("../../example_configs/cave", import.meta.url));
/** docs/cave.md. */
export const CAVE_PAGE = readFileSync(new URL("../../docs/cave.md", import.meta.url), "utf8");

export const CAVE_PASSWORDS = { alice: "correct-horse", bob: "battery-staple", admin: "tr0ub4dor" } as const;
export type CaveUser = keyof typeof CAVE_PASSWORDS;

export interface CaveDeployment {
  /** `server_address`: https, of the gateway. */
  readonly url: string;
  /** Its host and port. */
  readonly host: string;
  /** Copies of the example's files, as used. */
  readonly folder: string;
  readonly ours: Server;
  readonly service: Server;
  /** Of the service. */
  readonly token: string;
  /** The gateway's log of requests. */
  accesses(): Promise<string>;
  /** Another service like the first, directly at its port. */
  startService(env: Readonly<Record<string, string>>): Promise<Server>;
}

/** The only block of docs/cave.md in this language with this text in it. */
export function caveBlock(language: string, text: string): string {
  const blocks = [...CAVE_PAGE.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(
    ([, block = ""]) => block,
  );
  const found = blocks.filter((block) => block.includes(text));
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} blocks of docs/cave.md have ${text}`);
  return found[0];
}

export interface DeployOptions {
  readonly gateway?: ProxyName;
  /** More origins, beside the one of the example. */
  readonly origins?: readonly string[];
  /** More providers, for the server at this address. */
  readonly providers?: (url: string) => Promise<readonly object[]>;
}

export async function deployCave(
  cleanup: Cleanup,
  { gateway = "nginx", origins = [], providers = async () => [] }: DeployOptions = {},
): Promise<CaveDeployment> {
  const [port, oursPort, servicePort] = [await freePort(), await freePort(), await freePort()];
  const host = `localhost:${port}`;
  const folder = await temporaryFolder(cleanup);
  await cp(EXAMPLE, folder, { recursive: true });
  await writeFile(`${folder}/ca.pem`, AUTHORITY_CERT);
  await writeFile(`${folder}/cert.pem`, SIGNED_CERT);
  await writeFile(`${folder}/key.pem`, SIGNED_KEY);

  const here = (text: string) =>
    text
      .replaceAll("cave.example.org", host)
      .replaceAll("127.0.0.1:8000", `127.0.0.1:${oursPort}`)
      .replaceAll("127.0.0.1:5000", `127.0.0.1:${servicePort}`);
  const config = here(await readFile(`${folder}/tiled-auth.yml`, "utf8"))
    .replace("port: 8000", `port: ${oursPort}`)
    .replace("origins:", `origins: ${origins.map((origin) => `\n    - ${origin}`).join("")}`)
    .replace(
      "providers:",
      `providers: ${(await providers(`https://${host}`)).map((one) => `\n    - ${JSON.stringify(one)}`).join("")}`,
    );
  await writeFile(`${folder}/tiled-auth.yml`, config);
  const env = {
    HOME: folder,
    PATH: `${caveProgram("")}:${process.env["PATH"]}`,
    REQUESTS_CA_BUNDLE: `${folder}/ca.pem`,
    PYTHONWARNINGS: "ignore",
    TILED_SECRET: "a key for tests only, never for real ones",
    ...Object.fromEntries(
      Object.entries(CAVE_PASSWORDS).map(([name, password]) => [`${name.toUpperCase()}_PASSWORD`, password]),
    ),
  };

  /** The block's commands; the last one is the server. */
  const serve = (text: string, ready: RegExp, more: Readonly<Record<string, string>> = {}) => {
    const commands = here(caveBlock("sh", text))
      .replace("../../tiled", TILED.map((part) => `'${part}'`).join(" "))
      .trim()
      .split("\n");
    const last = commands.pop();
    const script = [...commands, `exec ${last}`].join("\n");
    return startServer(cleanup, ["bash", "-euc", script], ready, { cwd: folder, env: { ...env, ...more } });
  };
  const ours = await serve("tiled serve config", /listening at (http:\/\/[0-9.]+:[0-9]+)/);
  const said = await GATEWAYS[gateway](cleanup, { folder, port, here });
  if (!(await eventually(30, () => answers(`https://${host}/auth_info`))))
    throw new Error(`${gateway} does not answer:\n${said()}`);

  const made = await runToEnd(["bash", "-euc", here(caveBlock("sh", "service_token.py"))], {
    cwd: folder,
    env,
  });
  const token = made.stdout.trim();
  if (made.code !== 0 || token === "") throw new Error(`no token for the service:\n${made.stderr}`);
  const startService = (more: Readonly<Record<string, string>>) =>
    serve("service.py", /Serving on (http:\/\/[0-9.]+:[0-9]+)/, { AUTH_TOKEN: token, ...more });
  const service = await startService({ PORT: String(servicePort) });
  return {
    url: `https://${host}`,
    host,
    folder,
    ours,
    service,
    token,
    accesses: () => readFile(`${folder}/access.log`, "utf8"),
    startService: (more) => startService({ PORT: "0", ...more }),
  };
}

interface Places {
  readonly folder: string;
  readonly port: number;
  readonly here: (text: string) => string;
}

const GATEWAYS: Readonly<Record<ProxyName, (cleanup: Cleanup, places: Places) => Promise<() => string>>> = {
  nginx: async (cleanup, { folder, port, here }) => {
    const app = (await readFile(`${folder}/nginx.conf`, "utf8"))
      .replace("server_name cave.example.org", "server_name localhost")
      .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
      .replace("/etc/ssl/cave.example.org.pem", `${folder}/cert.pem`)
      .replace("/etc/ssl/cave.example.org.key", `${folder}/key.pem`)
      .replace("/var/log/nginx/cave.log", `${folder}/access.log`);
    await writeFile(`${folder}/cave.conf`, here(app));
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    await writeFile(
      `${folder}/main.conf`,
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
events {}
http { ${paths.join(" ")} include ${folder}/cave.conf; }
`,
    );
    return run(cleanup, [PROGRAMS.nginx, "-p", folder, "-c", `${folder}/main.conf`], folder);
  },
  caddy: async (cleanup, { folder, port, here }) => {
    const file = (await readFile(`${folder}/Caddyfile`, "utf8")).replace(
      "cave.example.org {",
      `https://localhost:${port} {\n\ttls ${folder}/cert.pem ${folder}/key.pem`,
    );
    const options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n";
    await writeFile(`${folder}/Caddyfile`, options + here(file));
    return run(
      cleanup,
      [PROGRAMS.caddy, "run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"],
      folder,
    );
  },
};

/** Any answer of ours through the gateway. */
async function answers(url: string): Promise<boolean> {
  try {
    const request = send(url, { ca: AUTHORITY_CERT, agent: false });
    request.end();
    const [response] = await once(request, "response");
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}
