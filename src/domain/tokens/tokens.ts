/**
 * Access and refresh tokens: JWTs (RFC 7519) signed with HS256 by the first secret key and verified with all. Sessions are
 * checked in `domain/sessions.ts` and `callers/callers.ts`.
 */
import { Failure } from "../../errors.ts";
import { setBounded } from "../../lib/bounded-map.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Claims, type JwsKey, jwsKey, openJws, signJson, signJws } from "../../lib/jws.ts";
import { type Secret, sha256, uniqueNames } from "../../lib/secrets.ts";
import { parseUuid, type Uuid, uuidHex } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalSummary, PrincipalType, SessionStatus } from "../model/entities.ts";

const REMEMBERED_TOKENS = 4096;

export interface Lifetimes {
  /** Seconds, like the others. */
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
  /** Null in tokens that Tiled issued. */
  readonly generation: number | null;
  /** The `jti`, or the token's SHA-256 if it has none. */
  readonly tokenId: string;
  readonly expires: number;
}

/** The rotation of a refresh token into the next one. */
export interface Rotation {
  /** Id of the presented token. */
  readonly tokenId: string;
  readonly at: Date;
}

/** RFC 6749, section 5.1. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_token_expires_in: number;
  readonly token_type: "bearer";
}

/** The subject of a token for a service behind this one. */
export interface UpstreamBearer {
  readonly principal: Uuid;
  readonly type: PrincipalType;
  readonly identities: readonly IdentityRef[];
  readonly scopes: Iterable<string>;
}

interface Verified {
  readonly token: string;
  readonly claims: AccessClaims;
}

/** A short key is looked up faster; the whole token is compared afterwards. */
function signatureOf(token: string): string {
  return token.slice(-43);
}

const UPSTREAM_USE = "upstream";

/** Headers have a limited size, so a longer state (e.g. hundreds of groups) stays with the session only. */
const LONGEST_STATE = 2048;

/** As JSON. */
function carried(state: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(state);
  return text.length > LONGEST_STATE ? "{}" : text;
}

/** The claims of a principal as JSON without braces: before and after the login's state, as the real Tiled orders them. */
interface PrincipalClaims {
  readonly before: string;
  readonly after: string;
}

function claimsOf({ uuid, type, scopes, identities }: PrincipalSummary): PrincipalClaims {
  const before = { sub: uuidHex(uuid), sub_typ: type, scp: scopes };
  const after = { ids: identities.map(({ id, provider }) => ({ id, idp: provider })) };
  return { before: inner(before), after: inner(after) };
}

function inner(value: object): string {
  return JSON.stringify(value).slice(1, -1);
}

export class Tokens {
  readonly #keys: readonly [JwsKey, ...JwsKey[]];
  readonly #lifetimes: Lifetimes;
  readonly #clock: Clock;
  readonly #newId = uniqueNames(16);
  /** Tokens with verified signature and claims. Time and revocation are checked on every use. */
  readonly #verified = new Map<string, Verified>();

  /** The cache keeps a principal the same object for as long as nothing about it changes. */
  readonly #principals = new WeakMap<PrincipalSummary, PrincipalClaims>();

  /** `secretKeys`: not empty; the first signs. */
  constructor(secretKeys: readonly Secret[], lifetimes: Lifetimes, clock: Clock) {
    const [first, ...others] = secretKeys.map((secret) => jwsKey(secret.reveal()));
    if (first === undefined) throw new Error("Tokens need a secret key.");
    this.#keys = [first, ...others];
    this.#lifetimes = lifetimes;
    this.#clock = clock;
  }

  /** `rotation`: the refresh token that these tokens replace. The same rotation gives the same refresh token again. */
  issue(
    principal: PrincipalSummary,
    session: SessionStatus,
    generation: number,
    rotation: Rotation | null = null,
  ): TokenAnswer {
    const now = this.#seconds();
    const sessionEnd = Math.floor(session.expirationTime.getTime() / 1000);
    const accessLeft = Math.max(0, Math.min(this.#lifetimes.accessToken, sessionEnd - now));
    const since = rotation === null ? now : Math.floor(rotation.at.getTime() / 1000);
    const refreshEnd = Math.max(since, Math.min(since + this.#lifetimes.refreshToken, sessionEnd));
    const sid = uuidHex(session.uuid);
    const { before, after } = this.#claimsOf(principal);
    // Ids and times are our own digits, which JSON does not escape.
    const accessToken = signJson(
      `{${before},"state":${carried(session.state)},${after},"exp":${now + accessLeft},"type":"access","sid":"${sid}","jti":"${this.#newId()}"}`,
      this.#keys[0],
    );
    const jti = rotation === null ? this.#newId() : nextId(rotation.tokenId, session.uuid, generation);
    const refreshToken = signJson(
      `{"type":"refresh","sid":"${sid}","exp":${refreshEnd},"gen":${generation},"jti":"${jti}"}`,
      this.#keys[0],
    );
    return {
      access_token: accessToken,
      expires_in: accessLeft,
      refresh_token: refreshToken,
      refresh_token_expires_in: Math.max(0, refreshEnd - now),
      token_type: "bearer",
    };
  }

  #claimsOf(principal: PrincipalSummary): PrincipalClaims {
    const known = this.#principals.get(principal);
    if (known !== undefined) return known;
    const claims = claimsOf(principal);
    this.#principals.set(principal, claims);
    return claims;
  }

  /** A token for a service behind this one with the same keys. `use` marks it, so this server does not accept it. */
  issueForUpstream(bearer: UpstreamBearer, seconds: number): string {
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
      jti: this.#newId(),
    });
  }

  /**
   * The claims of an access token of ours, or of a Tiled with the same key.
   * Fails with `expired_token` or `invalid_token`.
   */
  verifyAccess(token: string, now = this.#clock.now()): AccessClaims {
    const known = this.#verified.get(signatureOf(token));
    if (known?.token !== token) return this.#verifyAccess(token);
    if (known.claims.expires <= Math.floor(now / 1000)) {
      this.#verified.delete(signatureOf(token));
      throw new Failure("expired_token");
    }
    return known.claims;
  }

  /** The claims of a refresh token. Fails with `session_expired` if it is valid but expired, unless that is accepted. */
  verifyRefresh(token: string, options: { readonly acceptExpired: boolean }): RefreshClaims {
    const { claims, expires } = this.#open(token);
    const session = parseUuid(claims["sid"]);
    const generation = claims["gen"] ?? null;
    const tokenId = claims["jti"] ?? sha256(token);
    if (
      claims["type"] !== "refresh" ||
      session === undefined ||
      (generation !== null && !isCount(generation)) ||
      !isText(tokenId)
    ) {
      throw new Failure("invalid_token", { log: "not a refresh token" });
    }
    if (this.#isExpired(expires) && !options.acceptExpired)
      throw new Failure("session_expired", { log: "refresh token expired" });
    return { session, generation, tokenId, expires };
  }

  #verifyAccess(token: string): AccessClaims {
    const { claims, expires } = this.#open(token);
    const access = readAccessClaims(claims, expires);
    if (access === undefined) throw new Failure("invalid_token", { log: "not an access token" });
    if (this.#isExpired(expires)) throw new Failure("expired_token");
    setBounded(this.#verified, signatureOf(token), { token, claims: access }, REMEMBERED_TOKENS);
    return access;
  }

  /** Checks signature, `exp` (required) and `nbf` (RFC 7519, section 4.1). Our tokens have no audience. */
  #open(token: string): { readonly claims: Claims; readonly expires: number } {
    const claims = openJws(token, this.#keys);
    if (claims === undefined) throw new Failure("invalid_token", { log: "signed by none of our keys" });
    const { exp, nbf, aud } = claims as {
      readonly exp?: unknown;
      readonly nbf?: unknown;
      readonly aud?: unknown;
    };
    if (typeof exp !== "number" || !Number.isFinite(exp))
      throw new Failure("invalid_token", { log: "no exp" });
    if (nbf !== undefined && !(typeof nbf === "number" && nbf <= this.#seconds()))
      throw new Failure("invalid_token", { log: "not valid yet" });
    if (aud !== undefined) throw new Failure("invalid_token", { log: "token for another audience" });
    return { claims, expires: exp };
  }

  #sign(claims: Claims): string {
    return signJws(claims, this.#keys[0]);
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #isExpired(expires: number): boolean {
    return expires <= this.#seconds();
  }
}

/**
 * Depends on the rotated token only: every server gives the same one, also while the secret keys are being changed. It is
 * not a secret, since it counts only inside a token that we signed.
 */
function nextId(tokenId: string, session: Uuid, generation: number): string {
  return sha256(`${session} ${generation} ${tokenId}`).slice(0, 32);
}

function readAccessClaims(claims: Claims, expires: number): AccessClaims | undefined {
  const principal = parseUuid(claims["sub"]);
  const principalType = claims["sub_typ"];
  const scopes = claims["scp"];
  const session = claims["sid"] === undefined ? null : parseUuid(claims["sid"]);
  const identities = readIdentities(claims["ids"]);
  if (
    claims["type"] !== "access" ||
    // Services behind get such tokens for restricted keys; here they would count as a login.
    claims["use"] === UPSTREAM_USE ||
    principal === undefined ||
    (principalType !== "user" && principalType !== "service") ||
    !Array.isArray(scopes) ||
    !scopes.every(isText) ||
    session === undefined ||
    identities === undefined
  ) {
    return undefined;
  }
  return { principal, principalType, scopes, identities, session, expires };
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
