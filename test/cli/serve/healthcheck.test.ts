/** `tiled healthcheck`, as a container's image runs it, against servers that listen as their configuration says. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { configFromObject } from "../../../src/config/load.ts";
import { startServer } from "../../../src/server.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { freePort } from "../../support/free-port.ts";
import { tiled } from "../../support/terminal.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";

const folder = await temporaryFolder(after);
const TREES = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];
const log = pino({ level: "silent" });

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const cert = await file("cert.pem", TLS_CERT);
const key = await file("key.pem", TLS_KEY);

for (const [what, sections] of Object.entries({
  plain: {},
  "with HTTPS, below a root path": { server: { tls: { cert, key } }, uvicorn: { root_path: "/tiled" } },
  "on all addresses": { server: { host: "0.0.0.0" } },
})) {
  test(`a server that is alive is found: ${what}`, async (t) => {
    const port = await freePort();
    const whole = {
      trees: TREES,
      ...sections,
      server: { ...("server" in sections && sections.server), port },
    };
    const server = await startServer(configFromObject(whole, {}), { log });
    t.after(() => server.stop());
    const path = await file(
      `${port}.yml`,
      JSON.stringify({ ...whole, unknown_key: "an edit since the start" }),
    );
    for (const args of [[], ["--ready"]]) {
      const { code, stdout, stderr } = await tiled(["healthcheck", path, ...args]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /\/healthz(?:\/ready)? answered with 200\.\n$/);
    }
    const elsewhere = await tiled(["healthcheck", path, "--port", String(await freePort())]);
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.stderr, /does not answer: ECONNREFUSED/);
  });
}

test("a server that does not answer, or answers otherwise, is not alive", async (t) => {
  const silent = createServer().listen(0, "127.0.0.1");
  const other = createServer((socket) => socket.end("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
  other.listen(0, "127.0.0.1");
  await Promise.all([once(silent, "listening"), once(other, "listening")]);
  t.after(() => {
    silent.close();
    other.close();
  });
  const check = async (server: typeof silent) => {
    const { port } = server.address() as { readonly port: number };
    const path = await file(`${port}.yml`, JSON.stringify({ trees: TREES, server: { port } }));
    return tiled(["healthcheck", path]);
  };
  assert.match((await check(other)).stderr, /answered with 503/);
  const sockets: { destroy(): void }[] = [];
  silent.on("connection", (socket) => sockets.push(socket));
  const { code, stderr } = await check(silent);
  for (const socket of sockets) socket.destroy();
  assert.equal(code, 1);
  assert.match(stderr, /does not answer: timed out after/);
});

test("the image checks with the configuration and the port that it starts with", async () => {
  const dockerfile = await readFile(fileURLToPath(new URL("../../../Dockerfile", import.meta.url)), "utf8");
  const command = (name: string) =>
    JSON.parse(new RegExp(`^(?:  )?${name} (\\[.*\\])$`, "m").exec(dockerfile)?.[1] ?? "[]") as string[];
  const [check, start] = [...dockerfile.matchAll(/^ *CMD (\[.*\])$/gm)].map(
    ([, json = "[]"]) => JSON.parse(json) as string[],
  );
  const [, entry = ""] = command("ENTRYPOINT");
  assert.equal(check?.[1], entry);
  assert.deepEqual(check?.slice(2, 4), ["healthcheck", start?.[2]]);
  const port = (args: readonly string[] | undefined) => args?.[args.indexOf("--port") + 1];
  assert.equal(port(check), port(start));
});
