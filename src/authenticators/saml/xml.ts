/**
 * Reads XML of a provider: any complaint of the parser is an error, and helpers read elements by namespace. What an answer may
 * contain is checked in `answer.ts` before and in `shape.ts` after.
 */
import { DOMParser } from "@xmldom/xmldom";
import { refuse } from "./refusals.ts";

export const ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion";
export const PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol";
export const SIGNATURE = "http://www.w3.org/2000/09/xmldsig#";

const ELEMENT = 1;
const TEXT = 3;

/** No provider nests deeper; canonicalization is recursive. */
const MAX_DEPTH = 64;

export function parseXml(text: string): Element {
  const complain = (message: string): never => {
    throw refuse(`it is not well-formed XML (${String(message).split("\n", 1)[0]?.slice(0, 100)})`);
  };
  const parser = new DOMParser({
    errorHandler: { warning: complain, error: complain, fatalError: complain },
  });
  const root = parser.parseFromString(text, "text/xml")?.documentElement as Element | null | undefined;
  if (root == null) throw refuse("it is not an XML document");
  return root;
}

/** This element and all below it, in the document's order. Throws if they are nested too deeply. */
export function allElements(root: Element): readonly Element[] {
  const found: Element[] = [];
  const open: [Element, number][] = [[root, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [element, depth] = next;
    if (depth > MAX_DEPTH) throw refuse(`its elements are nested more than ${MAX_DEPTH} deep`);
    found.push(element);
    for (const child of elementsIn(element).reverse()) open.push([child, depth + 1]);
  }
  return found;
}

function elementsIn(parent: Element): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === ELEMENT) found.push(node as Element);
  }
  return found;
}

/** The elements of this name directly below. */
export function children(parent: Element, namespace: string, name: string): readonly Element[] {
  return elementsIn(parent).filter((child) => isNamed(child, namespace, name));
}

/** The only one of this name, or null. Throws for several, which two readers would choose from differently. */
export function onlyChild(parent: Element, namespace: string, name: string): Element | null {
  const [first = null, second] = children(parent, namespace, name);
  if (second !== undefined) throw refuse(`${parent.localName} has more than one ${name}`);
  return first;
}

export function isNamed(element: Element, namespace: string, name: string): boolean {
  return element.namespaceURI === namespace && element.localName === name;
}

/** Null if it is missing; an empty one counts. */
export function attributeOf(element: Element, name: string): string | null {
  return element.hasAttribute(name) ? element.getAttribute(name) : null;
}

/** The text of an element that has nothing but text. */
export function textOf(element: Element): string {
  let text = "";
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType !== TEXT) throw refuse(`${element.localName} contains more than text`);
    text += node.nodeValue ?? "";
  }
  return text;
}
