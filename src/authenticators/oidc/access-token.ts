/**
 * Checks a provider's access token (RFC 9068, section 4; RFC 8725): that it is an access token and nothing else, for this
 * server, and issued to one of our clients.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { ALGORITHMS } from "./algorithms.ts";
import type { KnownProvider } from "./provider.ts";
import { LEEWAY, quotedForLog, type SignedToken, verifySigned } from "./signature.ts";

export interface AccessTokenRules {
  readonly audience: string;
  /** Clients whose tokens are accepted, if a token names its client. */
  readonly clients: ReadonlySet<string>;
  readonly clock: Clock;
}

export async function verifyAccessToken(
  token: string,
  { metadata, keys }: KnownProvider,
  rules: AccessTokenRules,
  signal: AbortSignal,
): Promise<SignedToken["claims"]> {
  const { clock } = rules;
  const refuse = (why: string) =>
    new Failure("invalid_token", { log: `The provider's access token is refused: ${why}.` });
  const expired = () => new Failure("expired_token");
  // The algorithms that a provider announces are those of its id_tokens.
  const signed = await verifySigned(token, { keys, algorithms: ALGORITHMS, clock, refuse, expired }, signal);
  const { claims } = signed;
  const why =
    kindProblem(signed, rules) ??
    (claims.iss === metadata.issuer
      ? null
      : `its issuer (iss) is ${quotedForLog(claims.iss)}, expected ${quotedForLog(metadata.issuer)}; look at args.well_known_uri`) ??
    audienceProblem(claims, rules);
  if (why !== null) throw refuse(why);
  if (claims.iat !== undefined && !(claims.iat <= clock.now() / 1000 + LEEWAY)) {
    throw refuse("it was issued in the future (iat): compare this machine's clock with the provider's");
  }
  return claims;
}

/** Other tokens of the same provider are signed with the same keys. */
function kindProblem({ type, claims }: SignedToken, { clients }: AccessTokenRules): string | null {
  if (type !== null && type !== "jwt" && type !== "at+jwt")
    return `it is another token, of type ${quotedForLog(type)}`;
  const { typ, token_use: use, cnf } = claims;
  if (typ !== undefined && String(typ).toLowerCase() !== "bearer") {
    return `it is another token (its claim typ is ${quotedForLog(typ)}, not "Bearer")`;
  }
  if (use !== undefined && use !== "access")
    return `it is another token (its token_use is ${quotedForLog(use)})`;
  if (claims["at_hash"] !== undefined || claims["c_hash"] !== undefined) return "it is an id_token (at_hash)";
  if (cnf !== undefined) return "it is bound to a key of its client's (cnf), which is not supported";
  // The audience of an id_token is its client. An access token with the same audience must differ in another way.
  const forClient = [claims.aud].flat().some((name) => name !== undefined && clients.has(name));
  const shown =
    type === "at+jwt" ||
    typ !== undefined ||
    use !== undefined ||
    claims["scope"] !== undefined ||
    claims["scp"] !== undefined;
  if (!shown && (forClient || claims["nonce"] !== undefined)) {
    return "it may be an id_token: it has neither scope nor scp, nor a type that tells it apart";
  }
  return null;
}

function audienceProblem(
  claims: SignedToken["claims"],
  { audience, clients }: AccessTokenRules,
): string | null {
  if (![claims.aud].flat().includes(audience)) {
    return `its audience (aud) is ${quotedForLog(claims.aud)}, expected ${quotedForLog(audience)}; look at args.audience`;
  }
  for (const name of ["azp", "client_id", "appid"]) {
    const client = claims[name];
    if (client === undefined || (typeof client === "string" && clients.has(client))) continue;
    return `another client asked for it (${name} ${quotedForLog(client)}); if it may, name it in args.allowed_clients`;
  }
  return null;
}
