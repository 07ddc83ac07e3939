/**
 * Whether a message may repeat a value. Never repeated: the values of keys that hold secrets, values from the environment or an
 * alias, and text elsewhere that looks like a key or contains a password. The default is not to repeat it.
 */
import { type Located, quoted } from "./located.ts";
import type { Shape } from "./words.ts";

/** A user name and a password before a host, as in a URI. */
const WITH_PASSWORD = /:[^/@]*@|\/\/[^/]*@/;
/** `openssl rand` in hexadecimal or Base64, a token. */
const LIKE_A_KEY = /^(?=.*\d)[A-Za-z0-9+/_=.-]{24,}$/;

/** The value as a message shows it, undefined if it may not. */
export function shownValue(shape: Shape, node: Located): string | undefined {
  if (node.kind !== "scalar" || node.origin !== "file" || holdsSecrets(shape)) return undefined;
  const { value } = node;
  if (typeof value === "string") return shownText(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** Text as a message shows it, undefined if it may be a secret in the wrong place. */
export function shownText(text: string): string | undefined {
  const harmless = text !== "" && !WITH_PASSWORD.test(text) && !LIKE_A_KEY.test(text);
  return harmless ? quoted(text) : undefined;
}

/** Also true if a part below is a secret (`database: postgresql://…`), and if there is no schema. */
export function holdsSecrets(shape: Shape): boolean {
  if (shape.writeOnly === true) return true;
  const options = shape.anyOf ?? [];
  if (options.length === 0 && shape.type === undefined && shape.const === undefined) return true;
  const rest = shape.additionalProperties;
  const open = shape.type === "object" && shape.properties === undefined;
  return (
    open ||
    [...options, ...Object.values(shape.properties ?? {})].some(holdsSecrets) ||
    (shape.items !== undefined && holdsSecrets(shape.items)) ||
    (typeof rest === "object" && holdsSecrets(rest))
  );
}
