/**
 * The shape of an answer that a signature can be checked in without doubt about what it signs: one Response, one Assertion
 * directly in it, unique IDs. Every form of signature wrapping needs a second assertion, response or ID.
 */
import { quotedForLog, refuse } from "./refusals.ts";
import { ASSERTION, allElements, attributeOf, isNamed, PROTOCOL } from "./xml.ts";

export interface Shape {
  readonly response: Element;
  /** `Assertion` or `EncryptedAssertion`; null if the provider refused the login. */
  readonly assertion: Element | null;
  readonly encrypted: boolean;
}

/** Whatever their namespace: readers that look at the local name alone must find the same. */
const ALONE: ReadonlySet<string> = new Set(["Response", "Assertion", "EncryptedAssertion"]);
const IDS: ReadonlySet<string> = new Set(["id", "xml:id"]);

export function shapeOf(response: Element): Shape {
  if (!isNamed(response, PROTOCOL, "Response")) {
    throw refuse(`it is a ${quotedForLog(response.localName)}, not a Response of SAML 2.0`);
  }
  const elements = allElements(response);
  checkIds(elements);
  const alone = elements.filter(({ localName }) => ALONE.has(localName ?? ""));
  if (alone.length > 2) throw refuse("it has more than one Response or Assertion");
  const [, assertion = null] = alone;
  if (assertion === null) return { response, assertion, encrypted: false };
  if (assertion.localName === "Response") throw refuse("it has more than one Response or Assertion");
  if (assertion.namespaceURI !== ASSERTION || assertion.parentNode !== response) {
    throw refuse("its assertion is not directly in its Response");
  }
  return { response, assertion, encrypted: assertion.localName === "EncryptedAssertion" };
}

function checkIds(elements: readonly Element[]): void {
  const ids = new Set<string>();
  for (const element of elements) {
    for (let at = 0; at < element.attributes.length; at++) {
      const attribute = element.attributes.item(at);
      if (attribute === null || !IDS.has(attribute.name.toLowerCase())) continue;
      if (ids.has(attribute.value)) throw refuse(`the ID ${quotedForLog(attribute.value)} is there twice`);
      ids.add(attribute.value);
    }
  }
}

/** The assertion's own ID, which its signature refers to. */
export function idOf(element: Element): string {
  const id = attributeOf(element, "ID");
  if (id === null || !/^[A-Za-z_][\w.-]{0,255}$/.test(id)) {
    throw refuse(`the ID of its ${element.localName} is ${quotedForLog(id)}`);
  }
  return id;
}
