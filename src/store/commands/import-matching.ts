/**
 * Pure functions that compare a person of an import with the database: whether the person is known, conflicts with other
 * principals, and differences.
 */
import type { ImportConflict, ImportDifference, ImportedPerson } from "../../domain/ports/cave-import.ts";
import { foldedDigest } from "../../lib/fold.ts";
import type { Known, KnownPrincipal } from "./import-known.ts";

/**
 * Whether the principal with the person's number is that person: it has the identity or one of the tokens, or is a service
 * with the same note.
 */
export function isSame(person: ImportedPerson, known: Known): boolean {
  const principal = known.principals.get(person.id);
  if (principal === undefined || principal.type !== person.type) return false;
  return (
    (person.email !== null && known.owners.get(person.email) === person.id) ||
    (person.type === "service" && principal.note === person.name) ||
    person.tokens.some(({ digest }) => known.tokens.get(digest)?.owner === person.id)
  );
}

/** Conflicts with other principals, which prevent the whole import. */
export function conflictsOf(person: ImportedPerson, known: Known): ImportConflict[] {
  const conflicts: ImportConflict[] = [];
  const conflict = (kind: ImportConflict["kind"], here: string) =>
    conflicts.push({ person: person.id, kind, here });
  const same = isSame(person, known);
  const principal = known.principals.get(person.id);
  if (principal !== undefined && !same) conflict("number", shown(principal));
  if (person.email !== null) {
    const owner = known.owners.get(person.email);
    const folded = owner === undefined ? known.folded.get(foldedDigest(person.email)) : undefined;
    if (owner !== undefined && owner !== person.id) conflict("identity", `principal ${owner}`);
    else if (folded !== undefined && !known.caseSensitive && !same) conflict("spelling", folded);
  }
  for (const { digest, firstEight } of person.tokens) {
    const owner = known.tokens.get(digest)?.owner;
    if (owner !== undefined && owner !== person.id) conflict("token", `${firstEight} of principal ${owner}`);
  }
  return conflicts;
}

function shown({ type, note, identities }: KnownPrincipal): string {
  if (identities.length > 0) return identities.join(", ");
  return note === null ? `a ${type === "service" ? "service" : "user"}` : `the service ${note}`;
}

/** Of a person for whom `isSame` holds. */
export function differencesOf(person: ImportedPerson, known: Known): ImportDifference[] {
  const differences: ImportDifference[] = [];
  const difference = (field: ImportDifference["field"], here: string | null, file: string | null) =>
    differences.push({ person: person.id, field, here, file });
  const principal = known.principals.get(person.id);
  const { email } = person;
  if (email !== null && !known.owners.has(email)) {
    difference("identity", principal?.identities.join(", ") ?? null, email);
  } else {
    const name = email === null ? principal?.note : known.names.get(email);
    if (name !== person.name) difference("name", name ?? null, person.name);
  }
  for (const { digest, firstEight, description } of person.tokens) {
    const token = known.tokens.get(digest);
    if (token === undefined) difference("token", null, firstEight);
    else if (token.description !== description) difference("description", token.description, description);
  }
  for (const { tos } of person.accepted) {
    if (!principal?.terms.has(tos)) difference("terms", null, String(tos));
  }
  return differences;
}
