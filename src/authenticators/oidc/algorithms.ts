/**
 * The signature algorithms that a provider's tokens may have (RFC 7518, section 3.1, RFC 8037): asymmetric ones only.
 * `none` is no signature, and an HMAC would use the provider's public key as a secret.
 */
import { hash } from "node:crypto";

/** The digest that `at_hash` is made with (OpenID Connect Core, section 3.1.3.6). */
const DIGESTS: Readonly<Record<string, string>> = {
  RS256: "sha256",
  RS384: "sha384",
  RS512: "sha512",
  PS256: "sha256",
  PS384: "sha384",
  PS512: "sha512",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
  EdDSA: "sha512",
  Ed25519: "sha512",
};

export const ALGORITHMS: readonly string[] = Object.keys(DIGESTS);

/** The left half of the access token's digest, base64url. */
export function accessTokenHash(algorithm: string, accessToken: string): string {
  const digest = DIGESTS[algorithm];
  if (digest === undefined) throw new Error(`No digest is known for ${algorithm}.`);
  const whole = hash(digest, accessToken, "buffer");
  return whole.subarray(0, whole.length / 2).toString("base64url");
}
