/**
 * Checks the signature and the times of a provider's token (RFC 7515, RFC 7519, section 4.1). `id-token.ts` and
 * `access-token.ts` check the other claims.
 */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { ALGORITHMS } from "./algorithms.ts";
import type { Keys, VerificationKey } from "./keys.ts";

/** Seconds by which clocks may differ. */
export const LEEWAY = 30;
/** No provider has longer tokens. */
const MAX_LENGTH = 64 * 1024;

interface SignatureRules {
  readonly keys: Keys;
  /** The trustworthy ones that the provider announces. */
  readonly algorithms: readonly string[];
  readonly clock: Clock;
  /** Makes the failure from the reason. */
  readonly refuse: (why: string) => Failure;
  /** The failure of a token that is valid but has expired. */
  readonly expired: () => Failure;
}

export interface SignedToken {
  readonly algorithm: string;
  /** The header's `typ`, in lower case, without `application/`. */
  readonly type: string | null;
  readonly claims: JWTPayload & { readonly exp: number };
}

export async function verifySigned(
  token: string,
  rules: SignatureRules,
  signal: AbortSignal,
): Promise<SignedToken> {
  const { refuse } = rules;
  const { alg, kid, typ } = readHeader(token, refuse);
  if (!ALGORITHMS.includes(alg)) throw refuse(refusedAlgorithm(alg));
  if (!rules.algorithms.includes(alg)) {
    throw refuse(`its signature is of ${alg}; the provider announces ${rules.algorithms.join(", ")}`);
  }
  const candidates = await findKeys(rules, { alg, kid }, signal);
  if (candidates.length === 0) {
    throw refuse(`its key (kid ${quotedForLog(kid)}, ${alg}) is not among the provider's keys`);
  }
  for (const key of candidates) {
    const claims = await verifyWith(token, key, alg, rules);
    if (claims !== undefined) {
      return { algorithm: alg, type: typ?.toLowerCase().replace(/^application\//, "") ?? null, claims };
    }
  }
  throw refuse(`its signature is wrong (kid ${quotedForLog(kid)}, ${alg})`);
}

interface Header {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
}

function readHeader(token: string, refuse: SignatureRules["refuse"]): Header {
  if (token.length > MAX_LENGTH) throw refuse(`it is longer than ${MAX_LENGTH} characters`);
  const parts = token.split(".").length;
  if (parts === 5) throw refuse("it is encrypted, which is not supported");
  if (parts !== 3) throw refuse("it is not a signed token (three parts, RFC 7515)");
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(token) as Readonly<Record<string, unknown>>;
  } catch {
    throw refuse("its header cannot be read");
  }
  const { alg, kid, typ } = header;
  if (typeof alg !== "string") throw refuse("its header names no algorithm");
  if (kid !== undefined && typeof kid !== "string") throw refuse("its header's kid is not a text");
  if (typ !== undefined && typeof typ !== "string") throw refuse("its header's typ is not a text");
  return { alg, kid, typ };
}

function refusedAlgorithm(alg: string): string {
  if (alg.toLowerCase() === "none") return "it is not signed (alg none)";
  if (/^HS\d+$/i.test(alg)) {
    return `its signature is of ${alg}, a shared secret; have the provider sign with RS256 or ES256`;
  }
  return `its signature is of ${quotedForLog(alg)}, which is not one of ${ALGORITHMS.join(", ")}`;
}

async function findKeys(
  { keys, refuse }: SignatureRules,
  name: { readonly alg: string; readonly kid: string | undefined },
  signal: AbortSignal,
): Promise<readonly VerificationKey[]> {
  try {
    return await keys.find(name, signal);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw refuse(`its key (kid ${quotedForLog(name.kid)}, ${name.alg}) cannot be used: ${message(error)}`);
  }
}

/** Undefined if another key may have signed it. */
async function verifyWith(
  token: string,
  key: VerificationKey,
  alg: string,
  { clock, refuse, expired }: SignatureRules,
): Promise<SignedToken["claims"] | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      requiredClaims: ["exp"],
      clockTolerance: LEEWAY,
      currentDate: new Date(clock.now()),
    });
    const { exp } = payload;
    if (exp === undefined || !Number.isFinite(exp)) throw refuse("its 'exp' is not a time");
    return { ...payload, exp };
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JWTExpired) throw expired();
    if (error instanceof errors.JWTClaimValidationFailed) throw refuse(claimProblem(error));
    throw refuse(message(error));
  }
}

function claimProblem({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (reason === "missing") return `it has no '${claim}'`;
  if (claim === "nbf") return "it is not valid yet (nbf): compare this machine's clock with the provider's";
  return `its '${claim}' is not a time`;
}

/** An untrusted value for the log: in quotes, at most 120 characters, without control characters. */
export function quotedForLog(value: unknown): string {
  const text = (JSON.stringify(value) ?? "none").replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : "unknown reason";
}
