/** Principals: look-ups of one or a page of them. `commands/principals.ts` holds the writes. */
import type { PrincipalStore } from "../domain/ports/principals.ts";
import { readList } from "./base/codec.ts";
import type { Backend } from "./commands/backend.ts";
import { allRoles } from "./commands/steps/roles.ts";
import { findPrincipal, findPrincipalOfIdentity, summarize } from "./commands/steps/summaries.ts";
import { documentOf, documentsOf } from "./documents.ts";
import { isStorable, requireStorable } from "./identities.ts";
import { Positions } from "./positions.ts";

/** Implements `PrincipalStore`. */
export function principalStore(backend: Backend): PrincipalStore {
  const positions = new Positions();
  return {
    summary: (uuid) =>
      backend.read(async (db) => {
        const found = await findPrincipal(db, uuid);
        return found && summarize(db, found);
      }),
    summaryOfIdentity: async (identity) => {
      if (!isStorable(identity)) return undefined;
      return backend.read(async (db) => {
        const found = await findPrincipalOfIdentity(db, identity);
        return found && summarize(db, found);
      });
    },
    principalOf: async (identity) => {
      if (!isStorable(identity)) return null;
      return backend.read(async (db) => (await findPrincipalOfIdentity(db, identity))?.uuid ?? null);
    },
    ensureUser: async (request) => {
      requireStorable(request.identity);
      return backend.write("principal.ensure_user", request);
    },
    twins: (providers) => backend.write("principal.twins", { providers }),
    spellings: async (identity) =>
      isStorable(identity) ? backend.write("principal.spellings", identity) : [],
    document: (uuid, now) =>
      backend.read(async (db) => {
        const found = await findPrincipal(db, uuid);
        return found && documentOf(db, found, now);
      }),
    list: (page, now) => backend.read((db) => documentsOf(db, page, positions, now)),
    roles: () =>
      backend.read(async (db) =>
        (await db.all(allRoles, {})).map(({ name, scopes }) => ({ name, scopes: readList(scopes) })),
      ),
    createService: (request) => backend.write("principal.create_service", request),
    setDisabled: (request) => backend.write("principal.set_disabled", request),
    revokeAdmin: (request) => backend.write("principal.revoke_admin", request),
    ensureAdmins: async ({ identities, caseSensitive = () => true, groupProviders, now, context }) => {
      for (const identity of identities) requireStorable(identity);
      const plain = identities.map(({ provider, id }) => ({
        provider,
        id,
        caseSensitive: caseSensitive(provider),
      }));
      return backend.write("principal.ensure_admins", { identities: plain, groupProviders, now, context });
    },
  };
}
