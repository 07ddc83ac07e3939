/** Additions of the client in Node: the environment, profiles, from http to https, the terminal. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { withDefaults } from "../../../src/client/node/defaults.ts";
import { profileOptions } from "../../../src/client/node/from-profile.ts";
import { Context, MemoryStore, terminalPrompt } from "../../../src/client/node/index.ts";
import { defaultProfileName, readProfiles } from "../../../src/client/node/profiles.ts";
import { secureAddress } from "../../../src/client/node/secure-address.ts";
import { PASSWORDS, testApp, toy } from "../../support/app.ts";
import { API, wireTo } from "../../support/client.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";

const ABOUT = { authentication: { required: false, providers: [], links: null } };

test("the environment counts where the caller says nothing", () => {
  const env = { TILED_API_KEY: "key", TILED_RETRY_ATTEMPTS: "3", TILED_RETRY_TIMEOUT: "1.5" };
  const store = new MemoryStore();
  const { apiKey, retry } = withDefaults({ store }, false, env);
  assert.deepEqual([apiKey, retry], ["key", { attempts: 3, timeout: 1500 }]);
  assert.equal(withDefaults({ store, apiKey: null }, false, env).apiKey, null);
  assert.equal(withDefaults({ store }, true, env).apiKey, undefined);
  assert.equal(withDefaults({ store }, false, { TILED_API_KEY: "" }).apiKey, null);
  assert.deepEqual(withDefaults({ store, retry: { attempts: 1 } }, false, env).retry, {
    attempts: 1,
    timeout: 1500,
  });
  assert.equal(withDefaults({ store, retry: false }, false, env).retry, false);
});

test("an http address becomes https where the same host says so", async () => {
  const asked: string[] = [];
  const redirecting = (location: string) => async (input: string | URL | Request) => {
    asked.push(String(input));
    return new Response(null, { status: 308, headers: { location } });
  };
  const secured = async (location: string) =>
    (await secureAddress("http://h/lab?api_key=geheim", { fetch: redirecting(location) })).href;
  assert.equal(await secured("https://h/lab/"), "https://h/lab/?api_key=geheim");
  for (const other of ["https://evil.example/lab", "http://h/lab/", "/lab/"])
    assert.equal(await secured(other), "http://h/lab?api_key=geheim");
  assert.deepEqual(new Set(asked), new Set(["http://h/lab"]));
});

async function profiles(t: TestContext, files: Record<string, string>) {
  const home = await temporaryFolder(t.after.bind(t));
  const env = { TILED_SITE_PROFILES: join(home, "site"), TILED_PROFILES: join(home, "user") };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(home, name, ".."), { recursive: true });
    await writeFile(join(home, name), text);
  }
  return { env, platform: "linux", home } as const;
}

test("profiles of both folders; broken files and doubled names are left out", async (t) => {
  const place = await profiles(t, {
    "site/a.yml": "lab:\n  uri: http://site\nonly:\n  uri: http://only\n",
    "user/b.yaml": "lab:\n  uri: http://user\n  headers: {x-lab: 1}\n  timeout: {read: 2}\n",
    "user/c.yml": "twice:\n  uri: http://c\n",
    "user/d.yml": "twice:\n  uri: http://d\n",
    "user/e.yml": "wrong:\n  uri: http://e\n  unknown: 1\n",
    "user/f.yml": "{",
    "user/g.yml": "inline:\n  direct: {trees: []}\n",
    "user/.hidden.yml": "{",
    "user/notes.txt": "{",
    default_profile: "lab\n",
  });
  const { profiles: found, problems } = await readProfiles(place);
  assert.deepEqual([...found.keys()].sort(), ["inline", "lab", "only"]);
  assert.equal(problems.length, 3);
  assert.equal(await defaultProfileName(place), "lab");
  assert.deepEqual(await profileOptions("lab", place), {
    uri: "http://user",
    options: { headers: { "x-lab": "1" }, timeout: 2000 },
  });
  await assert.rejects(profileOptions("nope", place), {
    name: "TypeError",
    message: /inline, lab, only|lab, only/,
  });
  await assert.rejects(profileOptions("inline", place), TypeError);
});

test("verify: false in a profile accepts any certificate, and sends every kind of body", async (t) => {
  const bodies: string[] = [];
  const server = createServer({ key: TLS_KEY, cert: TLS_CERT }, async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    bodies.push(await read(request.headers["content-type"], Buffer.concat(parts)));
    response.end(JSON.stringify(ABOUT));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const uri = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const place = await profiles(t, {
    "user/a.yml": `checked:\n  uri: ${uri}\nunchecked:\n  uri: ${uri}\n  verify: no\n`,
  });
  const connected = async (name: string) => {
    const { uri: address, options } = await profileOptions(name, place);
    return await Context.fromAnyUri(address, { ...options, retry: false, store: new MemoryStore() });
  };
  await assert.rejects(connected("checked"), { code: "ERR_UNAVAILABLE" });
  const { context: unchecked } = await connected("unchecked");
  bodies.splice(0);
  const form = new FormData();
  form.set("note", "ä");
  form.set("file", new File(["content"], "scan.txt", { type: "text/x-scan" }));
  const sent = [
    "text",
    new URLSearchParams({ a: "1" }),
    new Uint8Array([98, 99]),
    new Blob(["blob"], { type: "text/x-blob" }),
    form,
    new Request(`${uri}/x`, { method: "POST", body: "request" }),
    new Request(`${uri}/x`, { method: "POST", body: form }),
  ];
  for (const body of sent) {
    const response = await (body instanceof Request
      ? unchecked.fetch(body)
      : unchecked.fetch("x", { method: "POST", body }));
    assert.equal(response.status, 200);
  }
  const multipart = '[["note","ä"],["file","scan.txt text/x-scan content"]]';
  assert.deepEqual(bodies, ["text", "a=1", "bc", "text/x-blob blob", multipart, "request", multipart]);
});

/** A form's fields, or the text. */
async function read(type = "", body: Buffer): Promise<string> {
  if (type === "text/x-blob") return `${type} ${body}`;
  if (!type.startsWith("multipart/")) return body.toString();
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const fields: [string, string][] = [];
  for (const [name, value] of form)
    fields.push([
      name,
      typeof value === "string" ? value : `${value.name} ${value.type} ${await value.text()}`,
    ]);
  return JSON.stringify(fields);
}

/** Answers each question with the next line. */
function terminal(lines: string[], isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} });
  const output = new PassThrough();
  let text = "";
  output.on("data", (part) => {
    text += part;
    if (!/: $/.test(String(part))) return;
    const line = lines.shift();
    if (line === undefined) input.end();
    else setImmediate(() => input.write(`${line}\n`));
  });
  return { terminal: { input, output }, text: () => text };
}

async function context(t: TestContext) {
  const app = await testApp({ authenticators: new Map([["toy", toy()]]) });
  t.after(() => app.close());
  return (await Context.fromAnyUri(API, { fetch: wireTo(app).fetch, store: new MemoryStore() })).context;
}

const { signal } = new AbortController();

test("the terminal asks for a user name and a password, which it does not show, three times", async (t) => {
  const c = await context(t);
  const { providers } = c.serverInfo.authentication;
  const good = terminal(["bob", "wrong", PASSWORDS.bob]);
  const tokens = await terminalPrompt(c, providers, { signal, terminal: good.terminal });
  assert.equal(tokens.identity?.id, "bob");
  assert.match(good.text(), /^Username: .*Password: \n.*not recognized\. Retry.*\nPassword: \n/s);
  assert.doesNotMatch(good.text(), /wrong|secret/);
  for (const lines of [
    ["bob", "1", "2", "3"],
    ["bob", ""],
  ])
    await assert.rejects(terminalPrompt(c, providers, { signal, terminal: terminal(lines).terminal }), {
      code: "ERR_PASSWORD_REJECTED",
    });
});

test("a provider is chosen by its number; another answer is asked for again", async (t) => {
  const c = await context(t);
  const [one] = c.serverInfo.authentication.providers;
  assert.ok(one);
  const two = [{ ...one, provider: "other\u001b[2J" }, one];
  const chosen = terminal(["0", "x", "2", "bob", PASSWORDS.bob]);
  assert.equal((await terminalPrompt(c, two, { signal, terminal: chosen.terminal })).identity?.id, "bob");
  assert.match(chosen.text(), /1 - other\\u001b\[2J\n2 - toy\n/);
  for (const lines of [[""], []])
    await assert.rejects(terminalPrompt(c, two, { signal, terminal: terminal(lines).terminal }), {
      code: "ERR_CANNOT_PROMPT",
    });
});

test("no question without a terminal; an abort ends a question", async (t) => {
  const c = await context(t);
  const { providers } = c.serverInfo.authentication;
  await assert.rejects(terminalPrompt(c, providers, { signal, terminal: terminal([], false).terminal }), {
    code: "ERR_CANNOT_PROMPT",
  });
  const reason = new Error("enough");
  const aborter = new AbortController();
  setImmediate(() => aborter.abort(reason));
  const silent = { input: Object.assign(new PassThrough(), { isTTY: true }), output: new PassThrough() };
  await assert.rejects(
    terminalPrompt(c, providers, { signal: aborter.signal, terminal: silent }),
    (error) => error === reason,
  );
});
