/**
 * Creating and revoking API keys. No key can do more than its maker, or than the principal it belongs to. Keys are checked in
 * `callers/callers.ts`.
 */
import { Failure, type InputProblem } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { pythonList } from "../lib/python.ts";
import type { Uuid } from "../lib/uuid.ts";
import { FIRST_EIGHT, newKeySecret } from "./callers/key-secret.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import type { Caller, KnownCaller } from "./model/caller.ts";
import type { ApiKey, PrincipalSummary, RequestContext } from "./model/entities.ts";
import { credentialRevoked } from "./model/revoked.ts";
import { CAVE_SCOPE, INHERIT, isScope } from "./model/scopes.ts";
import { isPlainText, isStorableText, MAX_TEXT } from "./model/storable-text.ts";
import type { ApiKeyStore, CreateApiKey, KeyRefused } from "./ports/api-keys.ts";

const SECRET_BYTES = 36;
/** Width of the columns that hold these lists as JSON. */
const MAX_LIST_JSON = 511;
const LAST_TIME = Date.UTC(9999, 11, 31);

export interface ApiKeyRequest {
  /** Seconds; null: the key never expires. */
  readonly expiresIn: number | null;
  /** null: `["inherit"]`. */
  readonly scopes: readonly string[] | null;
  readonly note: string | null;
  readonly accessTags: readonly string[] | null;
}

/** A new key. The secret is not stored and cannot be shown again. */
export interface NewApiKey {
  readonly key: ApiKey;
  /** 72 hex digits. */
  readonly secret: string;
}

export class ApiKeys {
  readonly #store: ApiKeyStore;
  readonly #principalCache: PrincipalCache;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #cave: boolean;

  constructor(deps: {
    readonly store: ApiKeyStore;
    readonly principalCache: PrincipalCache;
    readonly clock: Clock;
    readonly limit: number;
    /** Whether keys may have the scope `cave`. */
    readonly cave: boolean;
  }) {
    this.#store = deps.store;
    this.#principalCache = deps.principalCache;
    this.#clock = deps.clock;
    this.#limit = deps.limit;
    this.#cave = deps.cave;
  }

  /** Creates a key for `owner`; `maker` is the same principal or an admin. */
  async create(
    maker: KnownCaller,
    owner: PrincipalSummary,
    request: ApiKeyRequest,
    context: RequestContext,
  ): Promise<NewApiKey> {
    const wanted = checkRequest(request, this.#clock.now());
    checkScopes(wanted, owner, this.#cave);
    checkMaker(maker, owner, wanted);
    const { key, secret } = await this.make({ owner, wanted, bytes: SECRET_BYTES, context }, (checked) =>
      this.#store.create(checked),
    );
    return { key: { ...key, latestActivity: null }, secret };
  }

  /** Makes a key whose request has been checked. `store`: how; what it answers but a refusal is the outcome. */
  async make<O extends { readonly kind: string }>(
    { owner, wanted, bytes, context }: CheckedKey,
    store: (request: CreateApiKey) => Promise<O | KeyRefused>,
  ): Promise<{ readonly key: CreateApiKey["key"]; readonly secret: string; readonly outcome: O }> {
    const now = new Date(this.#clock.now());
    for (;;) {
      const { secret, firstEight, digest } = newKeySecret(bytes);
      const key = { ...wanted, firstEight };
      const outcome = await store({
        principal: owner.uuid,
        digest,
        key,
        limit: this.#limit,
        now,
        context,
      });
      if (isRefused(outcome)) {
        if (outcome.kind === "taken") continue;
        throw this.#refusal(outcome, owner, context);
      }
      this.#principalCache.documentChanged(owner.uuid);
      return { key, secret, outcome };
    }
  }

  #refusal(outcome: KeyRefused, owner: PrincipalSummary, context: RequestContext): Failure {
    if (outcome.kind === "credential_revoked") return credentialRevoked(context, outcome);
    if (outcome.kind === "unknown")
      return new Failure("not_found", { detail: `No such Principal ${owner.uuid}` });
    return new Failure("limit_reached", {
      detail: `This Principal already has ${this.#limit} API keys which is greater than or equal to the maximum number allowed, ${this.#limit}. Some API keys must be deleted before creating new ones.`,
    });
  }

  /** `firstEight`: the first eight digits, or the whole secret. False if the principal has no such key. */
  async revoke(owner: Uuid, firstEight: string, context: RequestContext): Promise<boolean> {
    const prefix = firstEight.slice(0, FIRST_EIGHT).toLowerCase();
    if (!/^[0-9a-f]{8}$/.test(prefix)) return false;
    const now = new Date(this.#clock.now());
    const outcome = await this.#store
      .revoke({ principal: owner, firstEight: prefix, now, context })
      .catch((error: unknown) => {
        this.#principalCache.apiKeysUncertain(prefix, owner);
        throw error;
      });
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    if (outcome.kind === "unknown") return false;
    const { credential } = context;
    const revoker = credential?.kind === "api_key" ? credential : null;
    this.#principalCache.apiKeysRevoked(prefix, outcome.digests, owner, revoker);
    return true;
  }
}

type WantedKey = Omit<ApiKey, "firstEight" | "latestActivity">;

/** `bytes`: length of the secret. */
export interface CheckedKey {
  readonly owner: PrincipalSummary;
  readonly wanted: WantedKey;
  readonly bytes: number;
  readonly context: RequestContext;
}

const REFUSED: ReadonlySet<string> = new Set<KeyRefused["kind"]>([
  "limit",
  "unknown",
  "taken",
  "credential_revoked",
]);

function isRefused(outcome: { readonly kind: string }): outcome is KeyRefused {
  return REFUSED.has(outcome.kind);
}

function checkRequest(request: ApiKeyRequest, now: number): WantedKey {
  const problems: InputProblem[] = [];
  const problem = (type: string, field: string, msg: string) =>
    problems.push({ type, loc: ["body", field], msg });
  const scopes = request.scopes === null ? [INHERIT] : [...new Set(request.scopes)];
  const expires = request.expiresIn === null ? null : now + request.expiresIn * 1000;
  if (expires !== null && (expires <= now || expires > LAST_TIME)) {
    problem(
      "out_of_range",
      "expires_in",
      "Must be seconds from now, greater than 0, or null for a key that never expires.",
    );
  }
  if (request.note !== null && !isStorableText(request.note)) {
    problem("string_too_long", "note", `At most ${MAX_TEXT} characters, without NUL.`);
  }
  if (pythonJsonLength(scopes) > MAX_LIST_JSON) problem("too_long", "scopes", "Too many scopes.");
  if (request.accessTags !== null) {
    if (!request.accessTags.every(isPlainText))
      problem("string_type", "access_tags", "Tags are texts without NUL.");
    if (pythonJsonLength(request.accessTags) > MAX_LIST_JSON) {
      problem("too_long", "access_tags", `At most ${MAX_LIST_JSON} characters as JSON, all tags together.`);
    }
  }
  if (problems.length > 0) throw new Failure("invalid", { detail: problems });
  return {
    // Whole seconds, as answers show them.
    expirationTime: expires === null ? null : new Date(Math.floor(expires / 1000) * 1000),
    note: request.note,
    scopes,
    accessTags: request.accessTags,
  };
}

/** A key cannot do what its owner cannot. `cave`: whether keys may have the scope `cave`, which no owner has. */
function checkScopes({ scopes, accessTags }: WantedKey, owner: PrincipalSummary, cave: boolean): void {
  const beyond = scopes.filter(
    (scope) => scope !== INHERIT && !(cave && scope === CAVE_SCOPE) && !owner.scopes.includes(scope),
  );
  if (beyond.length > 0) {
    const unknown = beyond.filter((scope) => !isScope(scope));
    const naming = unknown.length > 0 ? ` Unknown: ${scopeList(unknown)}.` : "";
    throw new Failure("forbidden", {
      detail: `Requested scopes ${scopeList(scopes)} must be a subset of the principal's scopes ${scopeList(owner.scopes)}.${naming}`,
    });
  }
  if (accessTags !== null && (scopes.includes(INHERIT) || scopes.includes("admin:apikeys"))) {
    throw new Failure("forbidden", {
      detail:
        "A key with access_tags cannot have the scope 'inherit' or 'admin:apikeys'. Name the scopes it needs.",
    });
  }
}

/** A key cannot create a key that can do more, see more or live longer than itself. No caller grants scopes it lacks. */
function checkMaker(maker: KnownCaller, owner: PrincipalSummary, wanted: WantedKey): void {
  const powers = wanted.scopes.includes(INHERIT) ? owner.scopes : wanted.scopes;
  const lacking = powers.filter((scope) => scope !== CAVE_SCOPE && !mayHandOut(maker, scope));
  if (lacking.length > 0) {
    throw new Failure("forbidden", {
      detail: `You cannot grant scopes you lack: ${scopeList(lacking)}.`,
    });
  }
  if (maker.kind !== "api_key") return;
  const { key } = maker;
  if (wanted.scopes.includes(INHERIT) && !key.scopes.includes(INHERIT)) {
    throw new Failure("forbidden", {
      detail: "Only a key with the scope 'inherit' can create another key with it.",
    });
  }
  if (key.accessTags !== null) {
    const narrow = new Set(key.accessTags);
    if (wanted.accessTags === null || wanted.accessTags.some((tag) => !narrow.has(tag))) {
      throw new Failure("forbidden", {
        detail: `The key in use is limited to the access_tags ${scopeList(key.accessTags)}. Choose the new key's access_tags from these.`,
      });
    }
  }
  if (
    key.expirationTime !== null &&
    (wanted.expirationTime === null || wanted.expirationTime > key.expirationTime)
  ) {
    throw new Failure("forbidden", {
      detail: "The new key would outlive the key in use. Send a shorter expires_in.",
    });
  }
}

/** `admin:apikeys` includes `create:apikeys` and `revoke:apikeys`. */
export function mayHandOut(maker: Caller, scope: string): boolean {
  if (maker.scopes.has(scope)) return true;
  return (scope === "create:apikeys" || scope === "revoke:apikeys") && maker.scopes.has("admin:apikeys");
}

/** As Tiled writes a list: sorted, in single quotes. */
export function scopeList(items: readonly string[]): string {
  return pythonList(items.toSorted());
}

/** Length of Python's `json.dumps(list)`, as the database holds it: non-ASCII characters take six. */
function pythonJsonLength(items: readonly string[]): number {
  const json = JSON.stringify(items);
  let length = json.length + Math.max(0, items.length - 1);
  for (const unit of json) length += unit > "\x7e" ? 6 * unit.length - unit.length : 0;
  return length;
}
