/** The reasons for which an answer of a SAML identity provider is refused, for the log. A caller sees the table's text only. */
import { Failure } from "../../errors.ts";

/** An answer that does not pass a check. */
export function refuse(why: string): Failure {
  return new Failure("provider_invalid", { log: `The SAML answer is refused: ${why}.` });
}

/** An untrusted value for the log: in quotes, at most 120 characters, without control characters. */
export function quotedForLog(value: string | null): string {
  if (value === null) return "missing";
  const text = JSON.stringify(value).replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
