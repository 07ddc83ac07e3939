/**
 * Tokens as an attacker or another server would make them, so without our own code: the claims of a genuine one,
 * changed, and signed with any key and algorithm (RFC 7515).
 */
import { createHmac } from "node:crypto";
import type { Forgery } from "./exchange.ts";

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

export function forge(
  genuine: string,
  { set, without = [], key, alg = "HS256" }: Forgery,
  firstKey: string,
): string {
  const claims = { ...claimsOf(genuine), ...set };
  for (const name of without) delete claims[name];
  const signed = [{ alg, typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  if (alg === "none") return `${signed}.`;
  const digest = alg === "HS512" ? "sha512" : "sha256";
  return `${signed}.${createHmac(digest, key ?? firstKey)
    .update(signed)
    .digest("base64url")}`;
}
