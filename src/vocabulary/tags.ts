/**
 * What the names of tags mean by themselves: the public one, and those of a single person or service.
 */

/** What bears it is seen by everybody who may read at all. */
export const PUBLIC = "public";

const OWN = ["user:", "service:"] as const;

/** In any case: `Public` means the same tag. */
export function isPublicTag(name: string): boolean {
  return name.toLowerCase() === PUBLIC;
}

/** `user:…` and `service:…`, which nobody gives by hand. */
export function isOwnTag(name: string): boolean {
  return OWN.some((prefix) => name.toLowerCase().startsWith(prefix));
}

/** As nodes bear it. */
export function normalTag(name: string): string {
  return isPublicTag(name) ? PUBLIC : name;
}
