/**
 * What administrators do with principals: list them, create services, disable and enable them.
 */
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Uuid } from "../lib/uuid.ts";
import { mayHandOut, scopeList } from "./api-keys.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import type { KnownCaller } from "./model/caller.ts";
import type { PrincipalDocument, PrincipalSummary, RequestContext } from "./model/entities.ts";
import { credentialRevoked } from "./model/revoked.ts";
import { METRICS_ROLE } from "./model/scopes.ts";
import { isStorableName } from "./model/storable-text.ts";
import type { PageRange, PrincipalStore } from "./ports/principals.ts";

export class Principals {
  readonly #store: PrincipalStore;
  readonly #principalCache: PrincipalCache;
  readonly #clock: Clock;

  constructor(deps: {
    readonly store: PrincipalStore;
    readonly principalCache: PrincipalCache;
    readonly clock: Clock;
  }) {
    this.#store = deps.store;
    this.#principalCache = deps.principalCache;
    this.#clock = deps.clock;
  }

  list(page: PageRange): Promise<readonly PrincipalDocument[]> {
    return this.#store.list(page, this.#now());
  }

  async document(uuid: Uuid): Promise<PrincipalDocument> {
    return (await this.#principalCache.document(uuid)) ?? unknown(uuid);
  }

  async summary(uuid: Uuid): Promise<PrincipalSummary> {
    return (await this.#principalCache.summary(uuid)) ?? unknown(uuid);
  }

  /** Only a caller with all scopes of a role can grant it. */
  async createService(
    maker: KnownCaller,
    roleName: string,
    context: RequestContext,
    note?: string,
  ): Promise<PrincipalDocument> {
    const roles = [...(await this.#store.roles()), METRICS_ROLE];
    const role = roles.find(({ name }) => name === roleName);
    if (note !== undefined && !isStorableName(note)) throw unusableNote();
    if (role === undefined) throw unknownRole();
    const lacking = role.scopes.filter((scope) => !mayHandOut(maker, scope));
    if (lacking.length > 0) {
      throw new Failure("forbidden", {
        detail: `You cannot grant the role '${role.name}': you lack its scopes ${scopeList(lacking)}.`,
      });
    }
    const outcome = await this.#store.createService({ role: role.name, note, now: this.#now(), context });
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    if (outcome.kind === "unknown_role") throw unknownRole();
    return await this.document(outcome.uuid);
  }

  /** Disables or enables a principal, at once. */
  async setDisabled(
    maker: KnownCaller,
    uuid: Uuid,
    disabled: boolean,
    context: RequestContext,
  ): Promise<void> {
    if (disabled && maker.principal.uuid === uuid) {
      throw new Failure("conflict", { detail: "You cannot disable yourself. Ask another administrator." });
    }
    const target = await this.summary(uuid);
    const lacking = target.scopes.filter((scope) => !mayHandOut(maker, scope));
    if (lacking.length > 0) {
      throw new Failure("forbidden", {
        detail: `You cannot change a principal with scopes you lack: ${scopeList(lacking)}.`,
      });
    }
    const outcome = await this.#store
      .setDisabled({ principal: uuid, disabled, now: this.#now(), context })
      // A change that failed midway may have been committed.
      .finally(() => this.#principalCache.principalChanged(uuid));
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    if (outcome.kind === "unknown") unknown(uuid);
    if (outcome.kind === "last_admin") {
      throw new Failure("conflict", {
        detail: "You cannot remove the last working administrator. Let another one log in first.",
      });
    }
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }
}

function unknown(uuid: Uuid): never {
  throw new Failure("not_found", { detail: `No such Principal ${uuid}` });
}

function unusableNote(): Failure {
  const msg = "A note has 1 to 255 characters, without NUL.";
  return new Failure("invalid", { detail: [{ type: "string_too_long", loc: ["query", "note"], msg }] });
}

function unknownRole(): Failure {
  return new Failure("invalid", {
    detail: [
      {
        type: "enum",
        loc: ["query", "role"],
        msg: "Unknown role. The list of principals shows the roles in use.",
      },
    ],
  });
}
