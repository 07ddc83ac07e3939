/**
 * Folds names so that two spellings of one name are equal: NFKC and full case folding (Unicode Standard Annex 15; section
 * 3.13, D145). Invisible characters and redundant spaces are removed, as in LDAP (RFC 4518, sections 2.2 and 2.6.1).
 */
import { type Digest, sha256 } from "./secrets.ts";

/** Shares its upper case with "i", but is another letter. */
const DOTLESS_I = "\u0131";

/** Soft hyphens, joiners, variation selectors and similar, and control characters that are not spaces. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}|(?!\s)\p{Cc}/gu;

export function foldName(name: string): string {
  return name
    .normalize("NFKC")
    .split(DOTLESS_I)
    .map((part) => part.toUpperCase().toLowerCase())
    .join(DOTLESS_I)
    .replaceAll("\u03c2", "\u03c3")
    .normalize("NFKC")
    .replace(UNSEEN, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Equal except for the case of ASCII letters, the only difference between spellings of one e-mail address. */
export function sameAddress(one: string, other: string): boolean {
  return lowerAscii(one) === lowerAscii(other);
}

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** A folded name as it is stored: a digest, since folding may make a name longer than any column. */
export function foldedDigest(name: string): Digest {
  return sha256(foldName(name));
}
