/**
 * The first look at a posted answer (SAML Bindings, section 3.5.4), before any parser sees it: size, base64, UTF-8, and markup
 * that no provider needs and in which parsers differ. Without a DTD, only the five entities of XML itself exist.
 */
import { refuse } from "./refusals.ts";

/** Bytes of XML. */
const MAX_BYTES = 256 * 1024;
/** Characters of base64, with line breaks. */
const MAX_ENCODED = Math.ceil(MAX_BYTES / 3) * 4 + 16 * 1024;
/** Opening and closing tags. An answer with 2000 groups has half as many. */
const MAX_TAGS = 10_000;

const DECLARATION = /^\uFEFF?<\?xml(?:\s[^<>]*)?\?>/;

/** The XML of the form's field `SAMLResponse`. */
export function decodeAnswer(encoded: string): string {
  if (encoded.length > MAX_ENCODED) throw tooLarge();
  const base64 = encoded.replace(/[\t\r\n ]+/g, "");
  if (base64 === "" || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw refuse("it is not base64");
  }
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length > MAX_BYTES) throw tooLarge();
  return checkMarkup(utf8(bytes));
}

/** Also for the XML inside of an encrypted assertion. */
export function checkMarkup(xml: string): string {
  const text = xml.replace(DECLARATION, "");
  if (!text.trimStart().startsWith("<"))
    throw refuse("it is not XML; deflated answers belong to another binding");
  if (/<!DOCTYPE/i.test(text)) throw refuse("it has a document type (DOCTYPE)");
  if (text.includes("<!--")) throw refuse("it has a comment");
  if (text.includes("<?")) throw refuse("it has a processing instruction");
  if (text.includes("<!")) throw refuse("it has a CDATA section or a declaration");
  if (text.includes("\0")) throw refuse("it has a NUL character");
  if (text.split("<", MAX_TAGS + 2).length > MAX_TAGS + 1) throw refuse(`it has more than ${MAX_TAGS} tags`);
  return text;
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("it is not UTF-8");
  }
}

function tooLarge(): Error {
  return refuse(`it is larger than ${MAX_BYTES / 1024} kB`);
}
