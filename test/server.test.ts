import assert from "node:assert/strict";
import dns from "node:dns";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { pino } from "pino";
import { configFromObject } from "../src/config/load.ts";
import { systemClock } from "../src/lib/clock.ts";
import { type RunningServer, type StopTimeouts, startServer } from "../src/server.ts";
import { openStore } from "../src/store/open.ts";
import { storeOptions } from "./store/support.ts";
import { temporaryFolder } from "./support/folders.ts";
import { login, type Slow, slowAuthenticator, slowOf } from "./support/slow.ts";
import { TLS_CERT, TLS_KEY } from "./support/tls.ts";

const folder = await temporaryFolder(after);
const SLOW = await slowAuthenticator(folder);
const TREES = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];
const silent = pino({ level: "silent" });

let providers = 0;
const newProvider = () => `slow${++providers}`;

function start(config: object, stopTimeouts?: StopTimeouts): Promise<RunningServer> {
  const whole = configFromObject({ trees: TREES, server: { port: 0 }, ...config }, {});
  return startServer(whole, { log: silent, ...(stopTimeouts === undefined ? {} : { stopTimeouts }) });
}

interface Fixture {
  readonly server: RunningServer;
  readonly provider: string;
  readonly slow: Slow;
}

async function startSlow(t: TestContext, stopTimeouts?: StopTimeouts): Promise<Fixture> {
  const provider = newProvider();
  const server = await start(
    { authentication: { providers: [{ provider, authenticator: SLOW }] } },
    stopTimeouts,
  );
  t.after(() => server.stop().catch(() => undefined));
  return { server, provider, slow: slowOf(provider) };
}

/** A login that has arrived at the authenticator. */
async function loginUnderWay({
  server,
  provider,
  slow,
}: Fixture): Promise<{ readonly answer: Promise<Response> }> {
  const asked = new Promise<void>((resolve) => {
    slow.onAsked = resolve;
  });
  const answer = login(server.url, provider);
  answer.catch(() => undefined);
  await asked;
  return { answer };
}

test("what is under way is finished, half-open connections are closed, nothing new is taken", async (t) => {
  const fixture = await startSlow(t);
  const { server, slow } = fixture;
  const { port, hostname } = new URL(server.url);
  const halfOpen = connect(Number(port), hostname);
  halfOpen.write("POST /api/v1/auth/sess");
  await once(halfOpen, "connect");
  const { answer } = await loginUnderWay(fixture);

  const stopped = server.stop();
  await once(halfOpen.resume(), "close");
  await assert.rejects(fetch(`${server.url}/healthz`));
  slow.answer();
  const response = await answer;
  assert.equal(response.status, 200);
  assert.equal(typeof ((await response.json()) as Record<string, unknown>)["access_token"], "string");
  await stopped;
  assert.equal(slow.stopped, true);
  assert.equal(server.stop(), server.stop(), "stopping twice is stopping once");
});

test("a request that does not end is cut off, and the stop succeeds", async (t) => {
  const fixture = await startSlow(t, { requests: 50, total: 5_000 });
  const { answer } = await loginUnderWay(fixture);
  await fixture.server.stop();
  await assert.rejects(answer);
});

test("what cannot be closed in time is an error, not a server that hangs", async (t) => {
  const { server, slow } = await startSlow(t, { requests: 10, total: 50 });
  Object.assign(slow, { stop: () => new Promise(() => {}) });
  await assert.rejects(server.stop(), {
    name: "OperatorError",
    message: /could not close everything in time/,
  });
});

test("a port in use, or an address of another machine, ends the start with 3 and closes all again", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const provider = newProvider();
  const authentication = { providers: [{ provider, authenticator: SLOW }] };
  await assert.rejects(start({ authentication, server: { port } }), {
    name: "OperatorError",
    exitCode: 3,
    message: `Cannot listen on 127.0.0.1, port ${port} (server.port, command line): another program uses this port (ss -ltnp 'sport = :${port}' shows which). Choose another one; --port 0 takes any free port.`,
  });
  assert.equal(slowOf(provider).stopped, true);
  await assert.rejects(start({ server: { host: "192.0.2.1", port: 0 } }), {
    exitCode: 3,
    message: /does not have this address/,
  });
});

test("single user: a key is made where none is configured, and it works", async (t) => {
  const server = await start({});
  t.after(() => server.stop());
  const key = server.generatedKey?.reveal() ?? assert.fail("no key was made");
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(server.mode, "single-user");
  const metadata = `${server.url}/api/v1/metadata/`;
  assert.equal((await fetch(metadata, { headers: { authorization: `Apikey ${key}` } })).status, 200);
  assert.equal((await fetch(metadata)).status, 401);

  const configured = await start({ authentication: { single_user_api_key: "secret" } });
  t.after(() => configured.stop());
  assert.equal(configured.generatedKey, null);
});

test("administrators of the configuration have their roles before they log in", async () => {
  const uri = `sqlite:///${join(folder, "admins.db")}`;
  const provider = newProvider();
  const server = await start({
    authentication: {
      providers: [{ provider, authenticator: SLOW }],
      tiled_admins: [{ provider, id: "root" }],
    },
    database: { uri, init_if_not_exists: true },
  });
  assert.equal(server.durable, true);
  await server.stop();
  const store = await openStore(storeOptions(uri, { clock: systemClock }));
  const [principal] = await store.principals.list({ offset: 0, limit: 10 }, new Date());
  await store.close();
  assert.deepEqual(principal?.roles.map((role) => role.name).sort(), ["admin", "user"]);
});

test("HTTPS, under a prefix, with the operator's logo on the page", async (t) => {
  for (const [name, text] of [
    ["cert.pem", TLS_CERT],
    ["key.pem", TLS_KEY],
    ["logo.svg", "<svg/>"],
  ] as const) {
    await writeFile(join(folder, name), text);
  }
  const server = await start({
    server: { port: 0, tls: { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") } },
    uvicorn: { root_path: "/data" },
    pages: { logo: join(folder, "logo.svg") },
  });
  t.after(() => server.stop());
  assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+\/data$/);
  const page = await getHttps(`${server.url}/`);
  assert.equal(page.status, 200);
  const logo = /<img src="\/data(\/assets\/logo\.[0-9a-f]+\.svg)"/.exec(page.body)?.[1];
  assert.deepEqual(await getHttps(`${server.url}${logo}`), { status: 200, body: "<svg/>" });
});

function getHttps(url: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    httpsRequest(url, { rejectUnauthorized: false, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    })
      .on("error", reject)
      .end();
  });
}

test("the log says where the server listens", async (t) => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const server = await startServer(configFromObject({ trees: TREES, server: { port: 0 } }, {}), { log });
  t.after(() => server.stop());
  assert.ok(
    lines.some((line) => line.includes(`Server listening at ${server.url}`)),
    lines.join(""),
  );
});

test("a server at localhost limits and drains every connection that can be made to it", async (t) => {
  // Most machines give the name both addresses.
  const both = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  const real = dns.lookup;
  const lookup = (name: string, options: { all?: boolean }, done: (...found: unknown[]) => void) => {
    if (name === "localhost" && options.all === true) done(null, both);
    else real(name, options, done);
  };
  t.mock.method(dns, "lookup", lookup as never);
  const server = await start({
    server: { host: "localhost", port: 0 },
    authentication: { allow_anonymous_access: true },
  });
  t.after(() => server.stop().catch(() => undefined));
  const { port } = new URL(server.url);
  const open = (host: string) =>
    new Promise<"open" | "refused">((resolve) => {
      const socket = connect({ host, port: Number(port) });
      socket.once("connect", () => resolve("open")).once("error", () => resolve("refused"));
      t.after(() => socket.destroy());
    });
  const hosts = ["127.0.0.1", "::1"];
  const reached = await Promise.all(hosts.map(open));
  assert.deepEqual(reached, ["open", "refused"]);
});
