/**
 * A person's API tokens: API keys of 16 random bytes with the scope `cave`, which caveclient keeps in a file. Login tokens, which
 * can do nothing here, are in `logins.ts`.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { KeyActivity } from "../callers/key-activity.ts";
import type { PrincipalCache } from "../callers/principal-cache.ts";
import type { CaveToken } from "../model/cave.ts";
import type { ApiKey, PrincipalSummary, RequestContext } from "../model/entities.ts";
import { credentialRevoked } from "../model/revoked.ts";
import { CAVE_SCOPE } from "../model/scopes.ts";
import { isStorableText } from "../model/storable-text.ts";
import type { CreateApiKey, KeyRefused } from "../ports/api-keys.ts";
import type { CaveStore } from "../ports/cave.ts";

const SECRET_BYTES = 16;
const MAX_DESCRIPTION = 120;
/** Of the first eight digits. */
const MAX_ID = 0xffff_ffff;

/** A new token. It is not stored and cannot be shown again. */
export interface NewCaveToken {
  /** 32 hex digits. */
  readonly token: string;
  readonly firstEight: string;
}

/** Makes a key whose request has been checked; `ApiKeys` does. */
interface KeyMaker {
  make<O extends { readonly kind: string }>(
    request: {
      readonly owner: PrincipalSummary;
      readonly wanted: Omit<ApiKey, "firstEight" | "latestActivity">;
      readonly bytes: number;
      readonly context: RequestContext;
    },
    store: (request: CreateApiKey) => Promise<O | KeyRefused>,
  ): Promise<{ readonly key: CreateApiKey["key"]; readonly secret: string; readonly outcome: O }>;
}

export interface CaveTokensDeps {
  readonly store: CaveStore;
  readonly keys: KeyMaker;
  readonly createKey: (request: CreateApiKey) => Promise<{ readonly kind: "created" } | KeyRefused>;
  readonly principalCache: PrincipalCache;
  readonly activity: KeyActivity;
  readonly clock: Clock;
}

/** `context`, in all methods: of a request with an API token or a browser's session. All others are refused. */
export class CaveTokens {
  readonly #deps: CaveTokensDeps;

  constructor(deps: CaveTokensDeps) {
    this.#deps = deps;
  }

  async create(
    owner: PrincipalSummary,
    description: string | null,
    context: RequestContext,
  ): Promise<NewCaveToken> {
    const { keys, createKey } = this.#deps;
    const checked = await this.#checked(owner, description, context);
    const { key, secret } = await keys.make(checked, createKey);
    return { token: secret, firstEight: key.firstEight };
  }

  /** A token in place of the only one. `several`: there are more, and nothing was done. */
  async replaceOnly(
    owner: PrincipalSummary,
    description: string | null,
    context: RequestContext,
  ): Promise<{ readonly kind: "made"; readonly token: string } | { readonly kind: "several" }> {
    const { keys, store, principalCache } = this.#deps;
    const checked = await this.#checked(owner, description, context);
    const { secret, outcome } = await keys.make(checked, (request) => store.replaceToken(request));
    if (outcome.kind === "several") return outcome;
    if (outcome.replaced !== null) {
      const { firstEight, digest } = outcome.replaced;
      principalCache.apiKeysRevoked(firstEight, [digest], owner.uuid, revokerOf(context));
    }
    return { kind: "made", token: secret };
  }

  /** Newest first. */
  async list(principal: Uuid, context: RequestContext): Promise<readonly CaveToken[]> {
    requireOwner(context);
    const tokens = await this.#deps.store.tokens(principal, new Date(this.#deps.clock.now()));
    return tokens.map((token) => ({
      ...token,
      lastUsed: this.#deps.activity.latest(principal, token.firstEight, token.lastUsed),
    }));
  }

  /** `id`: the first eight digits as a number. False if the principal has no such token. */
  async revoke(principal: Uuid, id: number, context: RequestContext): Promise<boolean> {
    requireOwner(context);
    if (!Number.isInteger(id) || id < 0 || id > MAX_ID) return false;
    const { store, principalCache, clock } = this.#deps;
    const firstEight = id.toString(16).padStart(8, "0");
    const now = new Date(clock.now());
    const outcome = await store
      .revokeToken({ principal, firstEight, now, context })
      .catch((error: unknown) => {
        principalCache.apiKeysUncertain(firstEight, principal);
        throw error;
      });
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    if (outcome.kind === "unknown") return false;
    principalCache.apiKeysRevoked(firstEight, outcome.digests, principal, revokerOf(context));
    return true;
  }

  async #checked(owner: PrincipalSummary, description: string | null, context: RequestContext) {
    requireOwner(context);
    if (description !== null && !isDescription(description)) throw unusableDescription();
    const { credential } = context;
    if (credential?.kind === "api_key") {
      const key = await this.#deps.principalCache.currentApiKey(credential.firstEight, credential.digest);
      if (key?.expirationTime != null) {
        throw new Failure("forbidden", {
          detail: "The token in use expires, so it cannot make one that does not.",
        });
      }
    }
    const wanted = { expirationTime: null, note: description, scopes: [CAVE_SCOPE], accessTags: null };
    return { owner, wanted, bytes: SECRET_BYTES, context };
  }
}

/** CAVE's number for a token. */
export function tokenIdOf({ firstEight }: Pick<CaveToken, "firstEight">): number {
  return Number.parseInt(firstEight, 16);
}

function requireOwner({ credential }: RequestContext): void {
  if (credential?.kind === "api_key" || credential?.kind === "browser") return;
  throw new Failure("forbidden", { detail: "Use an API token, or the page of your tokens, for this." });
}

function revokerOf({ credential }: RequestContext) {
  return credential?.kind === "api_key" ? credential : null;
}

function isDescription(text: string): boolean {
  return isStorableText(text) && [...text].length <= MAX_DESCRIPTION;
}

function unusableDescription(): Failure {
  const msg = `At most ${MAX_DESCRIPTION} characters, without NUL.`;
  return new Failure("invalid", { detail: [{ type: "string_too_long", loc: ["body", "description"], msg }] });
}
