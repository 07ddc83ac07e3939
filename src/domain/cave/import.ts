/**
 * From a middle_auth server's export to the people that the store creates. Their groups and permissions become configuration
 * (`cli/admin/cave-section.ts`).
 */
import type { CaveExport, ExportedUser } from "../model/cave-import.ts";
import type { ImportedPerson, ImportedToken } from "../ports/cave-import.ts";

export function isService({ parent_id }: ExportedUser): boolean {
  return parent_id !== null;
}

/** In the order of their numbers. */
export function importedPeople({ users, tokens, accepted }: CaveExport): readonly ImportedPerson[] {
  const tokensOf = Map.groupBy(tokens, ({ user_id }) => user_id);
  const acceptedBy = Map.groupBy(accepted, ({ user_id }) => user_id);
  return users
    .toSorted((one, other) => one.id - other.id)
    .map((user) => ({
      id: user.id,
      type: isService(user) ? "service" : "user",
      name: user.name,
      email: isService(user) ? null : user.email,
      created: user.created,
      tokens: (tokensOf.get(user.id) ?? []).map(
        (token): ImportedToken => ({
          firstEight: token.first_eight,
          digest: token.sha256,
          description: token.description || null,
          created: token.created,
          lastUsed: token.last_used,
        }),
      ),
      // The terms that count for a service account are those of the person who made it.
      accepted: (acceptedBy.get(user.parent_id ?? user.id) ?? []).map(({ tos_id: tos, time }) => ({
        tos,
        time,
      })),
    }));
}
