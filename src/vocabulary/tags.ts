/**
 * Tags that mean something by their name: `public`, and those of a single person or service.
 */

/** Entries with this tag are visible to every caller with the scope to read. */
export const PUBLIC = "public";

const OWN = ["user:", "service:"] as const;

/** In any case: `Public` means the same tag. */
export function isPublicTag(name: string): boolean {
  return name.toLowerCase() === PUBLIC;
}

/** `user:…` and `service:…`, which only the server assigns. */
export function isOwnTag(name: string): boolean {
  return OWN.some((prefix) => name.toLowerCase().startsWith(prefix));
}

/** As nodes have it. */
export function normalTag(name: string): string {
  return isPublicTag(name) ? PUBLIC : name;
}
