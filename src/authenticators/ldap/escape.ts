/**
 * Text in names and filters: escaping (RFC 4514, section 2.4; RFC 4515, section 3), templates with `{username}`, user names
 * as directories compare them (RFC 4518), and passwords as they are sent (RFC 4513, section 5.1.3, with RFC 4013).
 */

/** A value in a DN. Every character of another meaning is escaped. */
export function escapeDn(value: string): string {
  return value
    .replaceAll(/[\\",+<>;=]/g, (character) => `\\${character}`)
    .replaceAll("\0", "\\00")
    .replaceAll(/^[ #]|(?!^) $/g, (character) => `\\${character}`);
}

/** A value in a filter. */
export function escapeFilter(value: string): string {
  return value.replaceAll(
    /[\\*()\0]/g,
    (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Python's `str.format` with names only. `problem` says what is wrong with a template. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{|\}\}|\{(\w+)\}/g, (whole, name: string | undefined) =>
    name === undefined ? whole.slice(1) : (values[name] ?? whole),
  );
}

export function templateProblem(template: string, names: readonly string[]): string | undefined {
  const rest = template.replaceAll(/\{\{|\}\}/g, "");
  for (const [whole, name] of rest.matchAll(/\{(\w*)\}/g)) {
    if (!names.includes(name ?? "")) {
      return `${whole} is not known here. Use ${names.map((known) => `{${known}}`).join(" or ")}.`;
    }
  }
  return /[{}]/.test(rest.replaceAll(/\{\w*\}/g, ""))
    ? "has a brace that is not closed. Write {{ and }} for braces themselves."
    : undefined;
}

/** RFC 3454, table B.1: characters that mean nothing. */
const NOTHING =
  /\u{34f}|[\u{ad}\u{1806}\u{200b}-\u{200d}\u{2060}\u{feff}]|[\u{180b}-\u{180d}]|[\u{fe00}-\u{fe0f}]/gu;

/** NFKC, lower case, nothing that directories leave out when they compare, no outer or double blanks. */
export function normalizeName(name: string): string {
  return name
    .replaceAll(NOTHING, "")
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/\p{Zs}+/gu, " ")
    .replaceAll(/^ | $/g, "");
}

/** Control characters, and halves of surrogate pairs, which UTF-8 cannot hold. */
export function isUnusable(text: string): boolean {
  return /\p{Cc}/u.test(text) || !text.isWellFormed();
}

/** Null: it must not be sent, since a bind without a password proves nothing (RFC 4513, section 5.1.2). */
export function preparePassword(password: string): string | null {
  if (isUnusable(password)) return null;
  const prepared = password
    .replaceAll(/\p{Zs}/gu, " ")
    .replaceAll(NOTHING, "")
    .normalize("NFKC");
  return prepared.trim() === "" || isUnusable(prepared) ? null : prepared;
}

/** Whether a template makes a DN, e.g. `uid={username},dc=lab`, and not `{username}@lab.org` or `LAB\{username}`. */
export function isDnTemplate(template: string): boolean {
  return /^\s*(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)*)\s*=/i.test(template);
}

/** `*` stands for any characters, case does not count. */
export function wildcard(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "is");
}
