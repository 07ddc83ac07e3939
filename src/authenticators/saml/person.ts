/**
 * The person in a checked assertion: the id from `attribute_name`, name and address from the attributes that providers use for
 * them, and the attributes that the access policy needs.
 */
import type { AuthenticatedIdentity, Profile } from "../../domain/ports/authenticator.ts";
import { quotedForLog, refuse } from "./refusals.ts";
import { ASSERTION, attributeOf, children, textOf } from "./xml.ts";

/** Under their plain names, and as in eduPerson and X.500 (urn:oid). */
const NAMES = ["displayName", "urn:oid:2.16.840.1.113730.3.1.241", "cn", "urn:oid:2.5.4.3", "name"];
const ADDRESSES = ["mail", "urn:oid:0.9.2342.19200300.100.1.3", "email"];
const LONGEST = 255;
/** Values of one attribute that are kept for the access policy. */
const MOST_VALUES = 1000;

export function personIn(
  assertion: Element,
  attribute: string,
  keep: readonly string[],
): AuthenticatedIdentity {
  const attributes = attributesIn(assertion);
  const id = idIn(attributes, attribute);
  const profile = profileIn(attributes);
  const state = Object.fromEntries(
    keep.flatMap((name) => {
      const values = attributes.get(name);
      return values === undefined ? [] : [[name, values.slice(0, MOST_VALUES)]];
    }),
  );
  return { id, ...(keep.length > 0 && { state }), ...(profile && { profile }) };
}

function idIn(attributes: ReadonlyMap<string, readonly string[]>, attribute: string): string {
  const values = attributes.get(attribute);
  const [id, another] = values ?? [];
  const shown = quotedForLog(attribute);
  if (id === undefined) {
    const there = quotedForLog([...attributes.keys()].join(", "));
    throw refuse(`it has no attribute ${shown} (args.attribute_name); it has ${there}`);
  }
  if (another !== undefined)
    throw refuse(`its attribute ${shown} (args.attribute_name) has more than one value`);
  if (id.trim() === "") throw refuse(`its attribute ${shown} (args.attribute_name) is blank`);
  if (id.length > LONGEST)
    throw refuse(`its attribute ${shown} (args.attribute_name) is longer than ${LONGEST} characters`);
  if (/\p{Cc}/u.test(id) || id !== id.trim()) {
    throw refuse(`its attribute ${shown} (args.attribute_name) has control characters or blanks at its ends`);
  }
  return id;
}

/** By name, in the order of the assertion; values of an attribute that is there twice are put together. */
function attributesIn(assertion: Element): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const statement of children(assertion, ASSERTION, "AttributeStatement")) {
    for (const attribute of children(statement, ASSERTION, "Attribute")) {
      const name = attributeOf(attribute, "Name");
      if (name === null) continue;
      const values = found.get(name) ?? [];
      for (const value of children(attribute, ASSERTION, "AttributeValue")) {
        // A value of XML, as a persistent identifier has, is no text and so no name.
        if (isText(value)) values.push(textOf(value));
      }
      found.set(name, values);
    }
  }
  return found;
}

function isText(element: Element): boolean {
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType !== 3) return false;
  }
  return true;
}

function profileIn(attributes: ReadonlyMap<string, readonly string[]>): Profile | undefined {
  const first = (names: readonly string[]) =>
    names.map((name) => attributes.get(name)?.[0]?.trim() ?? "").find((value) => value !== "");
  const name = first(NAMES);
  const email = first(ADDRESSES);
  if (name === undefined && email === undefined) return undefined;
  return { ...(name !== undefined && { name }), ...(email !== undefined && { email }) };
}
