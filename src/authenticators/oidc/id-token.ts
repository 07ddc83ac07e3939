/**
 * Checks an id_token (OpenID Connect Core, sections 2 and 3.1.3.7), in the order of that section. `signature.ts` checks the
 * signature and the times.
 */
import type { JWTPayload } from "jose";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { accessTokenHash } from "./algorithms.ts";
import type { KnownProvider } from "./provider.ts";
import { LEEWAY, quotedForLog, type SignedToken, verifySigned } from "./signature.ts";

export interface IdTokenRules {
  readonly clientId: string;
  /** The operator's `audience`: the client's id, or another name of this server at the provider. */
  readonly audience: string;
  readonly clock: Clock;
}

export interface Expected {
  readonly nonce: string;
  readonly accessToken: string;
  /** The issuer that the browser's return named, for providers without discovery. */
  readonly issuer: string | null;
}

export async function verifyIdToken(
  token: string,
  expected: Expected,
  { metadata, keys }: KnownProvider,
  { clientId, audience, clock }: IdTokenRules,
  signal: AbortSignal,
): Promise<JWTPayload> {
  const refuse = (why: string) =>
    new Failure("provider_invalid", { log: `The provider's id_token is refused: ${why}.` });
  const expired = () => refuse("it has expired (exp): compare this machine's clock with the provider's");
  const { algorithms, issuer } = metadata;
  const signed = await verifySigned(token, { keys, algorithms, clock, refuse, expired }, signal);
  const { claims } = signed;

  if (signed.type !== null && signed.type !== "jwt")
    throw refuse(`it is another token, of type ${quotedForLog(signed.type)}`);
  const wanted = issuer ?? expected.issuer;
  if (wanted !== null && claims.iss !== wanted) {
    throw refuse(
      `its issuer (iss) is ${quotedForLog(claims.iss)}, expected ${quotedForLog(wanted)}; look at args.well_known_uri`,
    );
  }
  const wrong = audienceProblem(claims, clientId, audience);
  if (wrong !== null) throw refuse(wrong);
  if (claims.iat === undefined || !Number.isFinite(claims.iat)) throw refuse("it has no time of issue (iat)");
  if (claims.iat > clock.now() / 1000 + LEEWAY) {
    throw refuse(
      `it was issued in the future (iat, more than ${LEEWAY} s): compare this machine's clock with the provider's`,
    );
  }
  if (claims["nonce"] !== expected.nonce) {
    throw refuse(
      claims["nonce"] === undefined
        ? "it has no nonce, although one was sent"
        : "its nonce is not the one that was sent, so it belongs to another login",
    );
  }
  const unbound = hashProblem(signed, expected.accessToken);
  if (unbound !== null) throw refuse(unbound);
  if (!isName(claims.sub)) throw refuse("its subject (sub) is missing, or not text of 1 to 255 characters");
  return claims;
}

/** Whether a value can be the name of a user: text that a database can store and that can be printed. */
export function isName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.trim() !== "" &&
    [...value].length <= 255 &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  );
}

/**
 * The token must be for our client. If it is for another name of this server (`audience`) or for several, it must also name
 * our client as the authorized party (azp).
 */
function audienceProblem(claims: JWTPayload, clientId: string, audience: string): string | null {
  const named = [claims.aud].flat();
  const azp = claims["azp"];
  if (named.length === 0 || named.some((name) => typeof name !== "string" || name === "")) {
    return "it has no audience (aud)";
  }
  if (!named.includes(clientId) && !named.includes(audience)) {
    return `its audience (aud) is ${quotedForLog(claims.aud)}, expected ${quotedForLog(clientId)}; look at args.client_id`;
  }
  if (azp !== undefined && azp !== clientId) {
    return `it was issued to another client (azp ${quotedForLog(azp)}, expected ${quotedForLog(clientId)}); look at args.client_id`;
  }
  if (azp === undefined && (named.length > 1 || named[0] !== clientId)) {
    return `its audience (aud) is ${quotedForLog(claims.aud)}, and it does not say that it was issued to ${quotedForLog(clientId)} (azp)`;
  }
  return null;
}

function hashProblem({ algorithm, claims }: SignedToken, accessToken: string): string | null {
  const hash = claims["at_hash"];
  if (hash === undefined || hash === accessTokenHash(algorithm, accessToken)) return null;
  return "its at_hash is not that of the access token that came with it";
}
