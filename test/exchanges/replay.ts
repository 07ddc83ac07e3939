/**
 * Sends the exchanges of a scene to a server, the real Tiled or ours, and compares every answer with the recorded
 * facts. How requests reach the server is the caller's.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { PASSWORDS } from "../support/toy.ts";
import { type Answered, problemsOf } from "./check.ts";
import type { Exchange, Scene, Step } from "./exchange.ts";
import { claimsOf, forge } from "./forge.ts";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export interface Target {
  readonly side: "reference" | "ours";
  /** Scheme, host and port of its links. */
  readonly base: string;
  /** The provider that stands in for the ones elsewhere. */
  readonly other: string | null;
  /** The key that signs. */
  readonly secretKey: string;
  send(request: Request): Promise<Answered>;
  wait(seconds: number): Promise<void>;
}

type Saved = Map<string, unknown>;

export async function replay(t: TestContext, scene: Scene, target: Target): Promise<void> {
  const saved: Saved = new Map();
  for (const step of [...(scene.setup ?? []), ...scene.exchanges]) {
    for (const exchange of await exchangesOf(step, saved, target)) {
      const answered = await target.send(requestOf(exchange, saved, target));
      if (exchange.save !== undefined) save(saved, exchange.save, answered);
      const name = exchange.name ?? `preparing: ${exchange.send}`;
      if (exchange.name === undefined) assert.ok(answered.status < 400, `${name}: ${answered.status}`);
      else await t.test(name, () => assert.deepEqual(problemsOf(exchange, answered, target), []));
    }
  }
}

async function exchangesOf(step: Step, saved: Saved, target: Target): Promise<readonly Exchange[]> {
  if (typeof step !== "string") return Array.from({ length: step.times ?? 1 }, () => step);
  const [verb, what = "", times = "1"] = step.split(" ");
  if (verb === "wait") {
    await target.wait(Number(what));
    return [];
  }
  if (verb === "visit") {
    saved.set(`${what}.back`, await visit(saved, what));
    return [];
  }
  const form = `username=${what}&password=${PASSWORDS[what as keyof typeof PASSWORDS]}`;
  const login: Exchange = { send: "POST /api/v1/auth/provider/toy/token", form, save: what };
  return Array.from({ length: Number(times) }, () => login);
}

function requestOf(exchange: Exchange, saved: Saved, target: Target): Request {
  const words = new Map(saved);
  if (exchange.forge) {
    const genuine = String(saved.get(exchange.forge.like ?? "alice.access_token"));
    words.set("forged", forge(genuine, exchange.forge, target.secretKey));
  }
  const fill = (text: string) =>
    text
      .replace(/<(\d+) (\w)>/g, (_text, count: string, letter: string) => letter.repeat(Number(count)))
      .replace(/<([\w.]+)>/g, (placeholder, name: string) => String(words.get(name) ?? placeholder));
  const [method = "", path = ""] = fill(exchange.send).split(" ");
  const headers = { ...exchange.headers };
  let body = exchange.body;
  if (exchange.form !== undefined) {
    headers["Content-Type"] = "application/x-www-form-urlencoded";
    body = exchange.form;
  } else if (exchange.json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(exchange.json);
  }
  for (const [name, value] of Object.entries(headers)) headers[name] = fill(value);
  return { method, path, headers, body: body === undefined ? null : Buffer.from(fill(body)) };
}

/** A browser's way to the provider, which logs everyone in; returns the query that it brings back. */
async function visit(saved: Saved, name: string): Promise<string> {
  const address = String(saved.get(`${name}.authorization_uri`) ?? saved.get(`${name}.location`));
  const response = await fetch(address, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? assert.fail(await response.text())).search.slice(1);
}

/**
 * The fields of the answer, of a page those that its form hides, and what a test needs beyond them: the session's id, the
 * etag, the key in upper and the user code in lower case, where it redirects to, and the cookies (which are the browser's to send back).
 */
function save(saved: Saved, name: string, { headers, cookies, body }: Answered): void {
  const kept = cookies
    .map((cookie) => cookie.split(";")[0] ?? "")
    .filter((pair) => !/^tiled_csrf=/.test(pair));
  saved.set(`${name}.cookie`, kept.join("; "));
  saved.set(`${name}.location`, headers["location"]);
  for (const [field, value] of Object.entries(fieldsOf(headers["content-type"], body.toString()))) {
    saved.set(`${name}.${field}`, value);
    if (field === "secret") saved.set(`${name}.secret.upper`, String(value).toUpperCase());
    if (field === "user_code") saved.set(`${name}.user_code.lower`, String(value).toLowerCase());
    if (field !== "refresh_token") continue;
    const hex = String(claimsOf(String(value))["sid"]).replaceAll("-", "");
    saved.set(`${name}.session.hex`, hex);
    saved.set(`${name}.session`, hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));
  }
  saved.set(`${name}.etag`, headers["etag"]);
}

function fieldsOf(type: string | undefined, body: string): Record<string, unknown> {
  if (type === "application/json") return JSON.parse(body);
  const hidden = body.matchAll(/<input type="hidden"[^>]* name="(\w+)" value="([^"]*)"/g);
  return Object.fromEntries([...hidden].map(([, field = "", value]) => [field, value]));
}
