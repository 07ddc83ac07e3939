/**
 * The form of the signatures in an answer (XML Signature; SAML Core, section 5.4): one in the assertion, and perhaps one in
 * the response, each with one reference, to its own parent. Whether a signature is right is node-saml's part (`library.ts`).
 */
import { quotedForLog, refuse } from "./refusals.ts";
import { idOf } from "./shape.ts";
import { allElements, attributeOf, children, onlyChild, SIGNATURE } from "./xml.ts";

const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/** SHA-256 and up, RSA: an HMAC would use the provider's public certificate as a secret. */
const METHODS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
]);
const DIGESTS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2001/04/xmlenc#sha256",
  "http://www.w3.org/2001/04/xmlenc#sha512",
]);

/** Returns whether the response is signed as well. */
export function checkSignatures(
  response: Element,
  assertion: Element,
): { readonly responseIsSigned: boolean } {
  const all = allElements(response).filter((element) => element.localName === "Signature");
  const own = children(assertion, SIGNATURE, "Signature");
  const outer = children(response, SIGNATURE, "Signature");
  const [first] = own;
  if (first === undefined) {
    const hint = outer.length > 0 ? "; only the Response is" : "";
    throw refuse(`its assertion is not signed${hint}: have the provider sign assertions`);
  }
  if (own.length > 1 || outer.length > 1 || all.length !== own.length + outer.length) {
    throw refuse("it has a signature too many, or in a place where none belongs");
  }
  checkSignature(first, idOf(assertion));
  if (outer[0] !== undefined) checkSignature(outer[0], idOf(response));
  return { responseIsSigned: outer.length > 0 };
}

function checkSignature(signature: Element, id: string): void {
  if (children(signature, SIGNATURE, "Object").length > 0) throw refuse("its signature has an Object");
  const info = required(signature, "SignedInfo");
  const method = algorithmOf(required(info, "SignatureMethod"));
  if (method === null || !METHODS.has(method)) {
    throw refuse(`its signature is of ${quotedForLog(method)}, not RSA with SHA-256 or SHA-512`);
  }
  const canonical = algorithmOf(required(info, "CanonicalizationMethod"));
  if (canonical !== EXCLUSIVE) {
    throw refuse(`its canonicalization is ${quotedForLog(canonical)}, not the exclusive one`);
  }
  const [reference, another] = children(info, SIGNATURE, "Reference");
  if (reference === undefined || another !== undefined)
    throw refuse("its signature needs exactly one reference");
  const uri = attributeOf(reference, "URI");
  if (uri !== `#${id}`) throw refuse(`its signature refers to ${quotedForLog(uri)}, not to its own element`);
  const digest = algorithmOf(required(reference, "DigestMethod"));
  if (digest === null || !DIGESTS.has(digest)) {
    throw refuse(`its digest is of ${quotedForLog(digest)}, not SHA-256 or SHA-512`);
  }
  const transforms = children(required(reference, "Transforms"), SIGNATURE, "Transform").map(algorithmOf);
  if (transforms.length !== 2 || transforms[0] !== ENVELOPED || transforms[1] !== EXCLUSIVE) {
    throw refuse("its transforms are not the enveloped signature and exclusive canonicalization");
  }
}

function required(parent: Element, name: string): Element {
  const child = onlyChild(parent, SIGNATURE, name);
  if (child === null) throw refuse(`its signature has no ${name}`);
  return child;
}

function algorithmOf(element: Element): string | null {
  return attributeOf(element, "Algorithm");
}
