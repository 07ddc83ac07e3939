/**
 * Compact JWS with HS256 only (RFC 7515, section 7.1; RFC 7518, section 3.2), computed synchronously: a refresh signs and
 * verifies three of them, and jose, which uses the thread pool for each, takes three times as long. jose verifies tokens of
 * other issuers (`authenticators/oidc`). `domain/tokens/tokens.ts` interprets the claims.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";

export type JwsKey = KeyObject & { readonly __brand: "HS256" };
export type Claims = Readonly<Record<string, unknown>>;

/** `secret`: not empty, since an empty key would accept anyone's signature. */
export function jwsKey(secret: string): JwsKey {
  if (secret === "") throw new Error("A key that signs tokens must not be empty.");
  return createSecretKey(Buffer.from(secret, "utf8")) as JwsKey;
}

const HEADER = base64url('{"alg":"HS256","typ":"JWT"}');
const MAX_LENGTH = 65_536;

export function signJws(claims: Claims, key: JwsKey): string {
  return signJson(JSON.stringify(claims), key);
}

/** `claims`: a JSON object. */
export function signJson(claims: string, key: JwsKey): string {
  const input = `${HEADER}.${base64url(claims)}`;
  return `${input}.${signature(input, key)}`;
}

/** The claims of a token signed by one of the keys; otherwise undefined. */
export function openJws(token: string, keys: readonly JwsKey[]): Claims | undefined {
  if (token.length > MAX_LENGTH) return undefined;
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (second === -1 || token.includes(".", second + 1)) return undefined;
  const header = token.slice(0, first);
  if (header !== HEADER && !isOurHeader(readJson(header))) return undefined;
  const input = token.slice(0, second);
  const given = token.slice(second + 1);
  let isSigned = false;
  // All keys are tried, so that the time does not reveal which one fits.
  for (const key of keys) isSigned = equal(given, signature(input, key)) || isSigned;
  return isSigned ? readJson(token.slice(first + 1, second)) : undefined;
}

/** Whether, by its header alone, a token could be one of ours. */
export function hasOurHeader(token: string): boolean {
  if (token.startsWith(`${HEADER}.`)) return true;
  return isOurHeader(readJson(token.slice(0, Math.max(0, token.indexOf(".")))));
}

/** HS256, no critical extensions (RFC 7515, section 4.1.11), and no type but JWT. */
function isOurHeader(header: Claims | undefined): boolean {
  if (header === undefined || header["alg"] !== "HS256" || "crit" in header) return false;
  const typ = header["typ"];
  return typ === undefined || (typeof typ === "string" && typ.toUpperCase() === "JWT");
}

function signature(input: string, key: JwsKey): string {
  return createHmac("sha256", key).update(input).digest("base64url");
}

/** Compares texts, so that each token has only one spelling. */
function equal(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function base64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

/** An object, or undefined. */
function readJson(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined;
  } catch {
    return undefined;
  }
}
