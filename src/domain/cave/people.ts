/**
 * People as CAVE knows them: by number, as members of a group, and with the terms of service they accepted. What they may do is
 * worked out in `rules.ts`.
 */
import { isDeepStrictEqual } from "node:util";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { MaybePromise } from "../../lib/maybe-promise.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { PrincipalCache } from "../callers/principal-cache.ts";
import { ReadThroughCache } from "../callers/read-through-cache.ts";
import type { CaveGroup, CavePerson, CaveTerms } from "../model/cave.ts";
import type { RequestContext } from "../model/entities.ts";
import { credentialRevoked } from "../model/revoked.ts";
import type { CaveStore } from "../ports/cave.ts";

/** Most of one question to the store. */
const CHUNK = 1000;
/** Most people that a list of everyone shows. */
const MAX_MEMBERS = 10_000;
/** Largest value of the column. */
const MAX_NUMBER = 2_147_483_647;

export class CavePeople {
  readonly #store: CaveStore;
  readonly #clock: Clock;
  readonly #people: ReadThroughCache<Uuid, CavePerson>;

  constructor(deps: {
    readonly store: CaveStore;
    readonly principalCache: Pick<PrincipalCache, "onChange" | "changes">;
    readonly clock: Clock;
  }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#people = new ReadThroughCache((uuid) => deps.store.person(uuid), deps.clock, {
      changes: deps.principalCache.changes,
      isSame: isDeepStrictEqual,
      concerns: ({ what }) => what === "anything",
    });
    // Logins bring a new name, linking a new identity.
    deps.principalCache.onChange((uuid) => this.#people.drop(uuid));
  }

  /** Cached, and the same object while nothing changed. Undefined for unknown and disabled principals. */
  person(uuid: Uuid, now?: number): MaybePromise<CavePerson | undefined> {
    return this.#people.get(uuid, now);
  }

  /** The known ones. Numbers that no person can have are left out. */
  async byNumber(ids: readonly number[]): Promise<readonly CavePerson[]> {
    const possible = [...new Set(ids)].filter((id) => Number.isInteger(id) && id > 0 && id <= MAX_NUMBER);
    if (possible.length > CHUNK) {
      throw new Failure("limit_reached", { detail: `Ask for at most ${CHUNK} people at once.` });
    }
    return possible.length === 0 ? [] : await this.#store.peopleByNumber(possible);
  }

  /** Members and admins who have logged in; no services. A group of everyone is listed up to a number of people. */
  async members(group: CaveGroup): Promise<readonly CavePerson[]> {
    if (group.everyone) return await this.#everyone(group);
    const named = group.members.flatMap((member) => ("service" in member ? [] : [member]));
    const found = new Map<number, CavePerson>();
    for (const identities of chunks([...named, ...group.admins])) {
      for (const person of await this.#store.peopleByIdentity(identities)) found.set(person.id, person);
    }
    return [...found.values()].sort((one, other) => one.id - other.id);
  }

  async acceptTerms(principal: Uuid, tos: CaveTerms, context: RequestContext): Promise<void> {
    const now = new Date(this.#clock.now());
    const outcome = await this.#store
      .acceptTerms({ principal, tos: tos.id, now, context })
      .finally(() => this.#people.drop(principal));
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
  }

  async #everyone({ name }: CaveGroup): Promise<readonly CavePerson[]> {
    const found: CavePerson[] = [];
    for (;;) {
      const page = await this.#store.people(found.at(-1)?.id ?? 0, CHUNK);
      found.push(...page);
      if (found.length > MAX_MEMBERS) {
        throw new Failure("limit_reached", {
          detail: `The group ${name} has more than ${MAX_MEMBERS} members, too many to list.`,
        });
      }
      if (page.length < CHUNK) return found;
    }
  }
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += CHUNK) yield items.slice(start, start + CHUNK);
}
