/**
 * node-saml, which makes requests and metadata and checks signatures. Its times are switched off, since it has no clock to
 * inject; `assertion.ts` checks them. It is loaded with the first login, since most servers have no SAML provider.
 */
import type { SAML, SamlConfig, ValidateInResponseTo } from "@node-saml/node-saml";
import { Failure } from "../../errors.ts";
import { quotedForLog, refuse } from "./refusals.ts";
import type { SamlSettings } from "./settings.ts";

interface Call {
  /** The ID of the authentication request. */
  readonly requestId: string;
  readonly responseIsSigned: boolean;
}

/** A `SAML` for one request and its answer: it knows this request only. */
async function libraryFor(settings: SamlSettings, { requestId, responseIsSigned }: Call): Promise<SAML> {
  const { SAML } = await import("@node-saml/node-saml");
  const { idp, sp, security } = settings;
  const signs = security.authnRequestsSigned && sp.privateKey !== null && sp.certificate !== null;
  const config: SamlConfig = {
    issuer: sp.entityId,
    callbackUrl: sp.acsUrl,
    entryPoint: idp.ssoUrl,
    idpCert: [...idp.certificates],
    idpIssuer: idp.entityId,
    audience: sp.entityId,
    identifierFormat: sp.nameIdFormat,
    signatureAlgorithm: security.signatureAlgorithm,
    digestAlgorithm: "sha256",
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: responseIsSigned,
    validateInResponseTo: "always" as ValidateInResponseTo.always,
    acceptedClockSkewMs: -1,
    generateUniqueId: () => requestId,
    disableRequestedAuthnContext: security.authnContexts.length === 0,
    authnContext: [...security.authnContexts],
    racComparison: security.authnContextComparison,
    cacheProvider: {
      saveAsync: async (_key, value) => ({ value, createdAt: Date.now() }),
      getAsync: async (key) => (key === requestId ? new Date().toISOString() : null),
      removeAsync: async (key) => key,
    },
    ...(signs && { privateKey: sp.privateKey.reveal(), publicCert: sp.certificate }),
  };
  return new SAML(config);
}

/** The address at the provider with an AuthnRequest (SAML Bindings, section 3.4). */
export async function authnRequestUrl(
  settings: SamlSettings,
  requestId: string,
  relayState: string,
): Promise<URL> {
  const saml = await libraryFor(settings, { requestId, responseIsSigned: false });
  return new URL(await saml.getAuthorizeUrlAsync(relayState, undefined, {}));
}

/** The XML of the assertion as it was signed. */
export async function signedAssertion(settings: SamlSettings, xml: string, call: Call): Promise<string> {
  const saml = await libraryFor(settings, call);
  try {
    const { profile } = await saml.validatePostResponseAsync({
      SAMLResponse: Buffer.from(xml, "utf8").toString("base64"),
    });
    const signed = profile?.getAssertionXml?.();
    if (signed === undefined) throw refuse("it has no signed assertion");
    return signed;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw refuse(explained(error));
  }
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /signature/i,
    "its signature does not fit; compare saml_settings.idp.x509cert with the provider's certificate",
  ],
  [/audience/i, "its audience is not saml_settings.sp.entityId"],
  [/InResponseTo/, "it answers another request (InResponseTo)"],
];

/** node-saml's message, which may contain values of the answer, with the setting to look at. */
function explained(error: unknown): string {
  const message = error instanceof Error ? error.message : "unknown reason";
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1] ?? "it does not pass node-saml's checks";
  return `${hint} (${quotedForLog(message)})`;
}

/** For the operator of the provider (SAML Metadata, section 2.4.4). */
export async function metadataXml(settings: SamlSettings): Promise<string> {
  const { generateServiceProviderMetadata } = await import("@node-saml/node-saml");
  const { sp, security } = settings;
  const key = sp.privateKey?.reveal() ?? null;
  const decrypts = security.wantAssertionsEncrypted && key !== null && sp.certificate !== null;
  const signs = security.authnRequestsSigned && key !== null && sp.certificate !== null;
  const xml = generateServiceProviderMetadata({
    issuer: sp.entityId,
    callbackUrl: sp.acsUrl,
    identifierFormat: sp.nameIdFormat,
    wantAssertionsSigned: true,
    ...(decrypts && { decryptionPvk: key, decryptionCert: sp.certificate }),
    ...(signs && {
      privateKey: key,
      publicCerts: sp.certificate,
      signatureAlgorithm: security.signatureAlgorithm,
    }),
  });
  // `decrypt.ts` does not take these.
  return xml.replace(/\s*<EncryptionMethod Algorithm="[^"]*-cbc"\/>/g, "");
}
