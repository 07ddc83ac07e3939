/**
 * A SAML identity provider that answers as a test says: properly signed, or forged in the ways that are known. Signatures are
 * made by xml-crypto and are real; the forgeries change documents after or around them.
 */
import { randomBytes } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { SignedXml } from "xml-crypto";
import { IDP_CERT, IDP_KEY } from "./saml-keys.ts";

const IDP = "https://idp.example/metadata";
const SP = "https://tiled.example/saml";
export const ATTRIBUTE = "uid";
const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

export function settings(acsUrl: string) {
  return {
    idp: {
      entityId: IDP,
      singleSignOnService: { url: "https://idp.example/sso" },
      x509cert: IDP_CERT,
    },
    sp: { entityId: SP, assertionConsumerService: { url: acsUrl } },
  };
}

/** What an answer says; each may be wrong. */
export interface Said {
  readonly acsUrl: string;
  readonly requestId: string;
  /** Milliseconds. */
  readonly now: number;
  readonly issuer?: string;
  readonly audience?: string | null;
  readonly recipient?: string;
  readonly destination?: string | null;
  readonly issued?: number;
  readonly notBefore?: number;
  readonly notOnOrAfter?: number;
  readonly subjectNotOnOrAfter?: number;
  /** Of the signed confirmation; null: none. */
  readonly subjectInResponseTo?: string | null;
  /** Of the unsigned Response; null: none. */
  readonly inResponseTo?: string | null;
  readonly method?: string;
  readonly attributes?: string;
  readonly nameId?: string;
  readonly assertionId?: string;
  readonly responseId?: string;
  readonly status?: string;
  readonly statements?: string;
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function attribute(name: string, ...values: string[]): string {
  const texts = values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join("");
  return `<saml:Attribute Name="${name}">${texts}</saml:Attribute>`;
}

export function newId(): string {
  return `_${randomBytes(16).toString("hex")}`;
}

export function assertionOf(said: Said): string {
  const { now, issued = now } = said;
  const { notBefore = now - 30_000, notOnOrAfter = now + 120_000, subjectNotOnOrAfter = notOnOrAfter } = said;
  const { subjectInResponseTo = said.requestId, audience = SP } = said;
  const answers = subjectInResponseTo === null ? "" : ` InResponseTo="${subjectInResponseTo}"`;
  const restriction =
    audience === null
      ? ""
      : `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction>`;
  return (
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${said.assertionId ?? newId()}" Version="2.0" IssueInstant="${time(issued)}">` +
    `<saml:Issuer>${said.issuer ?? IDP}</saml:Issuer>` +
    `<saml:Subject><saml:NameID>${said.nameId ?? "ada@idp"}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="${said.method ?? "urn:oasis:names:tc:SAML:2.0:cm:bearer"}">` +
    `<saml:SubjectConfirmationData NotOnOrAfter="${time(subjectNotOnOrAfter)}" Recipient="${said.recipient ?? said.acsUrl}"${answers}/>` +
    `</saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${time(notBefore)}" NotOnOrAfter="${time(notOnOrAfter)}">${restriction}</saml:Conditions>` +
    (said.statements ??
      `<saml:AuthnStatement AuthnInstant="${time(issued)}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`) +
    `<saml:AttributeStatement>${said.attributes ?? attribute(ATTRIBUTE, "ada")}</saml:AttributeStatement>` +
    `</saml:Assertion>`
  );
}

export function responseOf(said: Said, assertion: string): string {
  const { destination = said.acsUrl, inResponseTo = said.requestId } = said;
  const to = destination === null ? "" : ` Destination="${destination}"`;
  const answers = inResponseTo === null ? "" : ` InResponseTo="${inResponseTo}"`;
  return (
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${said.responseId ?? newId()}" Version="2.0" IssueInstant="${time(said.now)}"${to}${answers}>` +
    `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${said.issuer ?? IDP}</saml:Issuer>` +
    `<samlp:Status>${said.status ?? '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'}</samlp:Status>` +
    `${assertion}</samlp:Response>`
  );
}

export interface Signing {
  readonly key?: string;
  readonly element?: "Assertion" | "Response";
  readonly algorithm?: string;
  readonly digest?: string;
  readonly transforms?: readonly string[];
  readonly canonicalization?: string;
  readonly hmac?: boolean;
}

/** With a signature after the element's issuer. */
export function signed(xml: string, options: Signing = {}): string {
  const { element = "Assertion", key = IDP_KEY, algorithm = RSA_SHA256, digest = SHA256 } = options;
  const signer = new SignedXml({ privateKey: key });
  if (options.hmac === true) signer.enableHMAC();
  signer.signatureAlgorithm = algorithm as typeof RSA_SHA256;
  signer.canonicalizationAlgorithm = (options.canonicalization ?? EXCLUSIVE) as typeof EXCLUSIVE;
  const xpath = `//*[local-name(.)='${element}']`;
  signer.addReference({
    xpath,
    digestAlgorithm: digest,
    transforms: [...(options.transforms ?? [ENVELOPED, EXCLUSIVE])],
  });
  const location = { reference: `${xpath}/*[local-name(.)='Issuer']`, action: "after" } as const;
  signer.computeSignature(xml, { location, prefix: "ds" });
  return signer.getSignedXml();
}

/** A Response with a signed assertion. */
export function answerXml(said: Said, signing: Signing = {}): string {
  return signed(responseOf(said, assertionOf(said)), signing);
}

export function encoded(xml: string): string {
  return Buffer.from(xml, "utf8").toString("base64");
}

/** What our server asked for. */
export function requestIn(url: URL): { readonly id: string; readonly xml: string; readonly state: string } {
  const xml = inflateRawSync(Buffer.from(url.searchParams.get("SAMLRequest") ?? "", "base64")).toString();
  return { xml, id: /\bID="([^"]+)"/.exec(xml)?.[1] ?? "", state: url.searchParams.get("RelayState") ?? "" };
}
