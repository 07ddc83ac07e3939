/**
 * Access and refresh tokens: JWT (RFC 7519) signed with HS256 by the first secret key, verified against each key in
 * turn. What a session allows is decided in `sessions.ts`, who a token's caller is in `callers.ts`.
 */
import type { webcrypto } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { randomHex, type Secret, sha256 } from "../lib/secrets.ts";
import { parseUuid, type Uuid, uuidHex } from "../lib/uuid.ts";
import type { IdentityRef, PrincipalSummary, PrincipalType, SessionStatus } from "./model.ts";

const ALGORITHM = "HS256";
const REMEMBERED_TOKENS = 4096;

export interface Lifetimes {
  /** Seconds, all three. */
  readonly accessToken: number;
  readonly refreshToken: number;
  readonly session: number;
}

export interface AccessClaims {
  readonly principal: Uuid;
  readonly principalType: PrincipalType;
  readonly scopes: readonly string[];
  readonly identities: readonly IdentityRef[];
  readonly session: Uuid | null;
  /** Seconds since the epoch. */
  readonly expires: number;
}

export interface RefreshClaims {
  readonly session: Uuid;
  /** Null in tokens that the reference issued. */
  readonly generation: number | null;
  /** The `jti`, or the token's SHA-256 where it has none. */
  readonly tokenId: string;
  readonly expires: number;
}

/** RFC 6749, section 5.1. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_token_expires_in: number;
  readonly token_type: "bearer";
}

/** Whom a token for a service behind this one speaks of. */
export interface UpstreamBearer {
  readonly principal: Uuid;
  readonly type: PrincipalType;
  readonly identities: readonly IdentityRef[];
  readonly scopes: Iterable<string>;
}

const UPSTREAM_USE = "upstream";

export class Tokens {
  readonly #keys: readonly webcrypto.CryptoKey[];
  readonly #lifetimes: Lifetimes;
  readonly #clock: Clock;
  /** Tokens whose signature and claims were found good; time and revocation are looked at again on every use. */
  readonly #verified = new Map<string, AccessClaims>();

  private constructor(keys: readonly webcrypto.CryptoKey[], lifetimes: Lifetimes, clock: Clock) {
    this.#keys = keys;
    this.#lifetimes = lifetimes;
    this.#clock = clock;
  }

  /** `secretKeys`: not empty; the first signs. */
  static async create(secretKeys: readonly Secret[], lifetimes: Lifetimes, clock: Clock): Promise<Tokens> {
    if (secretKeys.length === 0) throw new Error("Tokens need a secret key.");
    const keys = await Promise.all(
      secretKeys.map((secret) =>
        crypto.subtle.importKey(
          "raw",
          new TextEncoder().encode(secret.reveal()),
          { name: "HMAC", hash: "SHA-256" },
          false,
          ["sign", "verify"],
        ),
      ),
    );
    return new Tokens(keys, lifetimes, clock);
  }

  async issue(principal: PrincipalSummary, session: SessionStatus, generation: number): Promise<TokenAnswer> {
    const now = Math.floor(this.#clock.now() / 1000);
    const sessionLeft = Math.max(0, Math.floor(session.expirationTime.getTime() / 1000) - now);
    const accessLeft = Math.min(this.#lifetimes.accessToken, sessionLeft);
    const refreshLeft = Math.min(this.#lifetimes.refreshToken, sessionLeft);
    const [accessToken, refreshToken] = await Promise.all([
      this.#sign({
        sub: uuidHex(principal.uuid),
        sub_typ: principal.type,
        scp: principal.scopes,
        state: session.state,
        ids: principal.identities.map(({ id, provider }) => ({ id, idp: provider })),
        exp: now + accessLeft,
        type: "access",
        sid: uuidHex(session.uuid),
        jti: randomHex(16),
      }),
      this.#sign({
        type: "refresh",
        sid: uuidHex(session.uuid),
        exp: now + refreshLeft,
        gen: generation,
        jti: randomHex(16),
      }),
    ]);
    return {
      access_token: accessToken,
      expires_in: accessLeft,
      refresh_token: refreshToken,
      refresh_token_expires_in: refreshLeft,
      token_type: "bearer",
    };
  }

  /** For a service behind this one, which has the same keys. `use` marks it: it is no credential here. */
  issueForUpstream(bearer: UpstreamBearer, seconds: number): Promise<string> {
    const { principal, type, identities, scopes } = bearer;
    return this.#sign({
      sub: uuidHex(principal),
      sub_typ: type,
      scp: [...scopes],
      state: {},
      ids: identities.map(({ id, provider }) => ({ id, idp: provider })),
      exp: Math.floor(this.#clock.now() / 1000) + seconds,
      type: "access",
      use: UPSTREAM_USE,
      jti: randomHex(16),
    });
  }

  /**
   * The claims of an access token of ours (or of the reference's with the same key).
   * Fails with `expired_token` or `invalid_token`. A token that was seen before is answered synchronously.
   */
  verifyAccess(token: string): AccessClaims | Promise<AccessClaims> {
    const known = this.#verified.get(token);
    if (known === undefined) return this.#verifyAccess(token);
    if (this.#isExpired(known.expires)) {
      this.#verified.delete(token);
      throw new Failure("expired_token");
    }
    return known;
  }

  /** The claims of a refresh token; `session_expired` where only its time is over, unless that is accepted. */
  async verifyRefresh(token: string, options: { readonly acceptExpired: boolean }): Promise<RefreshClaims> {
    const { payload, expired } = await this.#verify(token);
    const session = parseUuid(payload["sid"]);
    const generation = payload["gen"] ?? null;
    const tokenId = payload["jti"] ?? sha256(token);
    if (
      payload["type"] !== "refresh" ||
      session === undefined ||
      (generation !== null && !isCount(generation)) ||
      !isText(tokenId) ||
      payload.exp === undefined
    ) {
      throw new Failure("invalid_token", { log: "not a refresh token" });
    }
    if (expired && !options.acceptExpired)
      throw new Failure("session_expired", { log: "refresh token expired" });
    return { session, generation, tokenId, expires: payload.exp };
  }

  async #verifyAccess(token: string): Promise<AccessClaims> {
    const { payload, expired } = await this.#verify(token);
    const claims = readAccessClaims(payload);
    if (claims === undefined) throw new Failure("invalid_token", { log: "not an access token" });
    if (expired) throw new Failure("expired_token");
    if (this.#verified.size >= REMEMBERED_TOKENS) {
      const [oldest] = this.#verified.keys();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(token, claims);
    return claims;
  }

  /** Signature, `exp` (required), `nbf`, `crit`; an audience is never ours. */
  async #verify(token: string): Promise<{ readonly payload: JWTPayload; readonly expired: boolean }> {
    const result = await this.#verifySignature(token);
    if (result.payload.aud !== undefined)
      throw new Failure("invalid_token", { log: "token for another audience" });
    return result;
  }

  async #verifySignature(
    token: string,
  ): Promise<{ readonly payload: JWTPayload; readonly expired: boolean }> {
    const options = {
      algorithms: [ALGORITHM],
      requiredClaims: ["exp"],
      currentDate: new Date(this.#clock.now()),
    };
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtVerify(token, key, options);
        return { payload, expired: false };
      } catch (error) {
        if (error instanceof errors.JWSSignatureVerificationFailed) continue;
        if (error instanceof errors.JWTExpired) return { payload: error.payload, expired: true };
        if (error instanceof errors.JOSEError)
          throw new Failure("invalid_token", { cause: error, log: error.message });
        throw error;
      }
    }
    throw new Failure("invalid_token", { log: "signed by none of our keys" });
  }

  #sign(claims: JWTPayload): Promise<string> {
    const [key] = this.#keys;
    if (key === undefined) throw new Error("Tokens need a secret key.");
    return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: "JWT" }).sign(key);
  }

  #isExpired(expires: number): boolean {
    return expires <= Math.floor(this.#clock.now() / 1000);
  }
}

function readAccessClaims(payload: JWTPayload): AccessClaims | undefined {
  const principal = parseUuid(payload.sub);
  const principalType = payload["sub_typ"];
  const scopes = payload["scp"];
  const session = payload["sid"] === undefined ? null : parseUuid(payload["sid"]);
  const identities = readIdentities(payload["ids"]);
  if (
    payload["type"] !== "access" ||
    // A key's holder is given such tokens, and could make of a narrow key what only a login may have.
    payload["use"] === UPSTREAM_USE ||
    principal === undefined ||
    (principalType !== "user" && principalType !== "service") ||
    !Array.isArray(scopes) ||
    !scopes.every(isText) ||
    session === undefined ||
    identities === undefined ||
    payload.exp === undefined
  ) {
    return undefined;
  }
  return { principal, principalType, scopes, identities, session, expires: payload.exp };
}

function readIdentities(value: unknown): IdentityRef[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const identities: IdentityRef[] = [];
  for (const item of value as unknown[]) {
    if (item === null || typeof item !== "object") return undefined;
    const { id, idp } = item as Readonly<Record<string, unknown>>;
    if (!isText(id) || !isText(idp)) return undefined;
    identities.push({ id, provider: idp });
  }
  return identities;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
