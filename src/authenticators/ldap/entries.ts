/** Attributes of an entry, whose names differ in case only between servers, as texts. */
import type { Entry } from "ldapts";

/** Undefined: it holds something that is not text, e.g. a picture. */
export function valuesOf(entry: Entry, attribute: string): readonly string[] | undefined {
  const wanted = attribute.toLowerCase();
  for (const [name, value] of Object.entries(entry)) {
    if (name.toLowerCase() !== wanted) continue;
    const values = Array.isArray(value) ? value : [value];
    const texts = values.filter((one): one is string => typeof one === "string" && !one.includes("\0"));
    return texts.length === values.length ? texts : undefined;
  }
  return [];
}

/** DNs compare without case, and without blanks around commas. */
export function sameDn(dn: string): string {
  return dn.toLowerCase().replaceAll(/\s*([,=+])\s*/g, "$1");
}
