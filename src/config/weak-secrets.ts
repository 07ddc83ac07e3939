/**
 * Secrets that can be guessed: refused if others can reach the server, a warning if only this machine can. A key that signs
 * tokens can be guessed offline, from any token of a user; the single user's key by requests.
 */

import type { Path } from "../yaml/located.ts";
import type { Context } from "./context.ts";
import type { ServerConfig } from "./model.ts";

const SHORTEST_KEY = 32;
const SHORTEST_SINGLE = 16;
/** 32 random hex digits have fewer different ones once in many millions. */
const FEWEST_CHARACTERS = 6;
const MAKE = "Make one with: openssl rand -hex 32";
/** What people write in place of a secret. */
const WORDS =
  /change|replace|this|please|secret|password|passwd|default|example|sample|dummy|test|todo|tiled|admin|letmein|qwerty|insert|your|random|token|super|string|here|key|me/g;

export function checkSecrets(context: Context, server: ServerConfig): void {
  const given = context.value.authentication ?? {};
  const reachable = reachability(server) ?? reachableForCave(context);
  const allowed = given.allow_weak_secrets === true;
  const tell = (path: Path, weakness: string | undefined, risk: string, option = false): void => {
    if (weakness === undefined) return;
    const found = `${weakness}, so ${risk}.`;
    if (reachable === undefined || allowed) {
      context.warn(path, `${found} ${MAKE}`);
      return;
    }
    const message =
      `${found} It is refused because ${reachable}. ${MAKE}. An old deployment starts anyway with ` +
      "authentication.allow_weak_secrets: true";
    if (option) context.problems.add({ file: "option --api-key", line: 0 }, [], message);
    else context.problem(path, message);
  };
  for (const [index, key] of (given.secret_keys ?? []).entries()) {
    if (key === undefined) continue;
    const path = ["authentication", "secret_keys", index];
    tell(path, weaknessOf(key, SHORTEST_KEY), "it may be guessed from any token that a user has");
  }
  for (const [index, tree] of (context.value.trees ?? []).entries()) {
    const key = tree?.token_key;
    if (key == null) continue;
    tell(
      ["trees", index, "token_key"],
      weaknessOf(key, SHORTEST_KEY),
      "it may be guessed from any token of it",
    );
  }
  const { apiKey } = context.overrides;
  const single = apiKey ?? given.single_user_api_key;
  if (single == null) return;
  const path = ["authentication", "single_user_api_key"];
  tell(path, weaknessOf(single, SHORTEST_SINGLE), "it may be guessed", apiKey !== undefined);
}

/** Why others may reach the server; undefined if only users of this machine can. */
function reachability({ host, hosts, publicUrl, trustedProxies }: ServerConfig): string | undefined {
  // A value that is not a host is reported elsewhere.
  if (!isLoopback(host) && /^[\w.:%[\]-]+$/.test(host))
    return `the server listens at ${host}, not on loopback only`;
  if (publicUrl !== null && !isLoopback(new URL(publicUrl).hostname)) {
    return `server.public_url is ${publicUrl}, so others reach the server`;
  }
  if (trustedProxies.length > 0)
    return "a proxy is trusted (server.trusted_proxies), so others reach the server";
  const name = hosts.find((known) => !isLoopback(known.replace(/:\d+$/, "")));
  if (name !== undefined) return `server.hosts has ${name}, so others reach the server`;
  return undefined;
}

function reachableForCave({ value: { cave } }: Context): string | undefined {
  const address = cave?.server_address;
  if (address === undefined || isLoopback(new URL(address).hostname)) return undefined;
  return `cave.server_address is ${address}, so others reach the server`;
}

function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}

function weaknessOf(secret: string, shortest: number): string | undefined {
  if (secret.length < shortest) return `shorter than ${shortest} characters`;
  if (new Set(secret).size < FEWEST_CHARACTERS) return "made of few different characters";
  if (repeats(secret)) return "a short text repeated";
  const rest = secret
    .toLowerCase()
    .replace(WORDS, "")
    .replace(/[^\p{L}\p{N}]/gu, "");
  return new Set(rest).size < FEWEST_CHARACTERS ? "made of well-known words" : undefined;
}

/** A text of less than half the shortest key's length, repeated. */
function repeats(secret: string): boolean {
  for (let length = 1; length < SHORTEST_SINGLE; length++) {
    if (secret.startsWith(secret.slice(length)) && secret.length >= 2 * length) return true;
  }
  return false;
}
