/**
 * Compares names without regard to upper and lower case and to the forms of a letter: NFKC and
 * full case folding (Unicode Standard Annex 15; section 3.13, D145). Invisible characters, and spaces at the ends or beside
 * another, count for nothing, as in directories (RFC 4518, sections 2.2 and 2.6.1). Two names that are equal so are two
 * spellings of one.
 */
import { type Digest, sha256 } from "./secrets.ts";

/** Its upper case is that of "i", but it is another letter. */
const DOTLESS_I = "\u0131";

/** Soft hyphens, joiners, variation selectors and the like, and controls other than those that are spaces. */
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

/** Equal but for the case of ASCII letters: all that two spellings of one e-mail address may differ in. */
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
