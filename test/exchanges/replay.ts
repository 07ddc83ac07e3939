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
  /** The key that signs. */
  readonly secretKey: string;
  send(request: Request): Promise<Answered>;
  wait(seconds: number): Promise<void>;
}

type Saved = Map<string, unknown>;

export async function replay(t: TestContext, scene: Scene, target: Target): Promise<void> {
  const saved: Saved = new Map();
  for (const step of [...(scene.setup ?? []), ...scene.exchanges]) {
    for (const exchange of await exchangesOf(step, target)) {
      const answered = await target.send(requestOf(exchange, saved, target));
      if (exchange.save !== undefined) save(saved, exchange.save, answered);
      const name = exchange.name ?? `preparing: ${exchange.send}`;
      if (exchange.name === undefined) assert.ok(answered.status < 300, `${name}: ${answered.status}`);
      else await t.test(name, () => assert.deepEqual(problemsOf(exchange, answered, target), []));
    }
  }
}

async function exchangesOf(step: Step, target: Target): Promise<readonly Exchange[]> {
  if (typeof step !== "string") return Array.from({ length: step.times ?? 1 }, () => step);
  const [verb, what = "", times = "1"] = step.split(" ");
  if (verb === "wait") {
    await target.wait(Number(what));
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

/** The fields of the answer, and what a test needs beyond them: the session's id, the etag, the key in upper case. */
function save(saved: Saved, name: string, { headers, body }: Answered): void {
  const fields: Record<string, unknown> = JSON.parse(body.toString());
  for (const [field, value] of Object.entries(fields)) saved.set(`${name}.${field}`, value);
  saved.set(`${name}.etag`, headers["etag"]);
  if (typeof fields["secret"] === "string") saved.set(`${name}.secret.upper`, fields["secret"].toUpperCase());
  if (typeof fields["refresh_token"] !== "string") return;
  const hex = String(claimsOf(fields["refresh_token"])["sid"]).replaceAll("-", "");
  saved.set(`${name}.session.hex`, hex);
  saved.set(`${name}.session`, hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));
}
