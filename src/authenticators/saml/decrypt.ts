/**
 * Encrypted assertions (SAML Core, section 2.3.4). The decrypted assertion is put alone into a new Response and then passes
 * every check that a plain one passes; encryption proves nothing about who made it.
 */
import { decrypt } from "xml-encryption";
import { checkMarkup } from "./answer.ts";
import { quotedForLog, refuse } from "./refusals.ts";
import { ASSERTION, allElements, attributeOf, isNamed, PROTOCOL, parseXml } from "./xml.ts";

const ALGORITHMS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2009/xmlenc11#aes128-gcm",
  "http://www.w3.org/2009/xmlenc11#aes256-gcm",
  "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
  "http://www.w3.org/2009/xmlenc11#rsa-oaep",
]);

export async function decryptAssertion(
  encrypted: Element,
  key: string,
  inResponseTo: string,
): Promise<string> {
  checkAlgorithms(encrypted);
  const xml = checkMarkup(await decrypted(String(encrypted), key));
  // Only a document of its own may go into the new one.
  if (!isNamed(parseXml(xml), ASSERTION, "Assertion"))
    throw refuse("what is encrypted in it is no assertion");
  return `<samlp:Response xmlns:samlp="${PROTOCOL}" InResponseTo="${inResponseTo}">${xml.trim()}</samlp:Response>`;
}

/** Without CBC and PKCS #1 v1.5, whose padding lets a stranger decrypt what they intercepted by asking again and again. */
function checkAlgorithms(encrypted: Element): void {
  for (const element of allElements(encrypted)) {
    if (element.localName !== "EncryptionMethod") continue;
    const algorithm = attributeOf(element, "Algorithm");
    if (algorithm === null || !ALGORITHMS.has(algorithm)) {
      throw refuse(
        `its assertion is encrypted with ${quotedForLog(algorithm)}; AES-GCM and RSA-OAEP are supported`,
      );
    }
  }
}

function decrypted(xml: string, key: string): Promise<string> {
  const options = { key, disallowDecryptionWithInsecureAlgorithm: true, warnInsecureAlgorithm: false };
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) =>
      reject(
        refuse(
          `its assertion cannot be decrypted with saml_settings.sp.privateKey (${error instanceof Error ? error.message.slice(0, 100) : "no text"})`,
        ),
      );
    try {
      decrypt(xml, options, (error, text) => {
        if (error || typeof text !== "string") failed(error);
        else resolve(text);
      });
    } catch (error) {
      failed(error);
    }
  });
}
