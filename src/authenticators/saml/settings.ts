/**
 * Checks `saml_settings` and brings it into the form that the rest of the room reads. An error names the key by its path; a
 * key without an effect is said once at the start.
 */
import type { AuthenticatorContext } from "../../domain/ports/authenticator.ts";
import { OperatorError } from "../../errors.ts";
import { isLoopbackName } from "../../lib/address.ts";
import { Secret } from "../../lib/secrets.ts";
import { readCertificate, readPrivateKey } from "./certificates.ts";
import { NO_EFFECT, type SamlArgs } from "./settings-schema.ts";

export interface SamlSettings {
  readonly idp: {
    readonly entityId: string;
    readonly ssoUrl: string;
    /** PEM; each is trusted. */
    readonly certificates: readonly string[];
  };
  readonly sp: {
    readonly entityId: string;
    /** Where answers are posted: our `…/code`. */
    readonly acsUrl: string;
    readonly nameIdFormat: string;
    readonly certificate: string | null;
    readonly privateKey: Secret | null;
  };
  readonly security: {
    readonly authnRequestsSigned: boolean;
    readonly wantAssertionsEncrypted: boolean;
    readonly wantMessagesSigned: boolean;
    /** None: any. */
    readonly authnContexts: readonly string[];
    readonly authnContextComparison: "exact" | "minimum" | "maximum" | "better";
    readonly signatureAlgorithm: "sha256" | "sha512";
  };
}

type Given = SamlArgs["saml_settings"];

const REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

export function readSettings(
  given: Given,
  { provider, warn }: Pick<AuthenticatorContext, "provider" | "warn">,
  now: number,
): SamlSettings {
  for (const key of withoutEffect(given)) {
    warn(
      `args.saml_settings.${key} has no effect: ${WHY[key] ?? "the rule behind it is fixed, or not needed here"}.`,
    );
  }
  const security = given.security ?? {};
  const certificate = given.sp.x509cert
    ? readCertificate(at("sp.x509cert"), given.sp.x509cert, now, warn)
    : null;
  const key = given.sp.privateKey
    ? readPrivateKey(at("sp.privateKey"), given.sp.privateKey, certificate)
    : null;
  for (const name of ["authnRequestsSigned", "wantAssertionsEncrypted"] as const) {
    if (security[name] !== true) continue;
    if (key === null) throw fault("sp.privateKey", `is missing, which security.${name} needs.`);
    if (certificate === null) throw fault("sp.x509cert", `is missing, which security.${name} needs.`);
  }
  return {
    idp: {
      entityId: given.idp.entityId,
      ssoUrl: ssoUrl(given),
      certificates: idpCertificates(given, now, warn),
    },
    sp: {
      entityId: given.sp.entityId,
      acsUrl: acsUrl(given, provider),
      nameIdFormat: given.sp.NameIDFormat ?? UNSPECIFIED,
      certificate,
      privateKey: key === null ? null : new Secret(key),
    },
    security: {
      authnRequestsSigned: security.authnRequestsSigned ?? false,
      wantAssertionsEncrypted: security.wantAssertionsEncrypted ?? false,
      wantMessagesSigned: security.wantMessagesSigned ?? false,
      authnContexts: contexts(security.requestedAuthnContext ?? true),
      authnContextComparison: security.requestedAuthnContextComparison ?? "exact",
      signatureAlgorithm: algorithm(security),
    },
  };
}

const WHY: Readonly<Record<string, string>> = {
  strict: "every check is always made",
  "security.wantAssertionsSigned": "assertions must always be signed",
  "sp.singleLogoutService": "logins do not end at the provider",
  "idp.singleLogoutService": "logins do not end at the provider",
};

function withoutEffect(given: Given): readonly string[] {
  return Object.entries(NO_EFFECT).flatMap(([section, names]) => {
    const found = (section === "" ? given : given[section as "idp" | "sp" | "security"]) ?? {};
    const prefix = section === "" ? "" : `${section}.`;
    return names.filter((name) => Object.hasOwn(found, name)).map((name) => prefix + name);
  });
}

function at(key: string): string {
  return `saml_settings.${key}`;
}

function fault(key: string, message: string): OperatorError {
  return new OperatorError(`args.${at(key)}: ${message}`);
}

function ssoUrl({ idp }: Given): string {
  const { url: text, binding = REDIRECT } = idp.singleSignOnService;
  if (binding !== REDIRECT) throw fault("idp.singleSignOnService.binding", `must be ${REDIRECT}.`);
  return webAddress("idp.singleSignOnService.url", text).href;
}

/** The provider posts to this address, so it must be ours. */
function acsUrl({ sp }: Given, provider: string): string {
  const { url: text, binding = POST } = sp.assertionConsumerService;
  if (binding !== POST) throw fault("sp.assertionConsumerService.binding", `must be ${POST}.`);
  const key = "sp.assertionConsumerService.url";
  const url = webAddress(key, text);
  const path = `/api/v1/auth/provider/${provider}/code`;
  if (!url.pathname.endsWith(path) || url.search !== "") {
    throw fault(key, `must be this server's public address followed by ${path}.`);
  }
  return text;
}

function webAddress(key: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw fault(key, "is not an absolute URL.");
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    throw fault(key, "must have neither a user name nor a fragment.");
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackName(url.hostname))) {
    throw fault(key, "must begin with https:// (http:// only on this machine).");
  }
  return url;
}

function idpCertificates({ idp }: Given, now: number, warn: (message: string) => void): readonly string[] {
  for (const key of ["certFingerprint", "certFingerprintAlgorithm"] as const) {
    if (idp[key] === undefined || idp[key] === null || idp[key] === "") continue;
    throw fault(`idp.${key}`, "is not supported, since a fingerprint is no key. Use idp.x509cert.");
  }
  const given: (readonly [key: string, text: string])[] = [
    ...(idp.x509cert ? [["idp.x509cert", idp.x509cert] as const] : []),
    ...(idp.x509certMulti?.signing ?? []).map(
      (text, index) => [`idp.x509certMulti.signing.${index}`, text] as const,
    ),
  ];
  if (given.length === 0)
    throw fault("idp.x509cert", "is missing. Copy the provider's signing certificate from its metadata.");
  return [...new Set(given.map(([key, text]) => readCertificate(at(key), text, now, warn)))];
}

function contexts(given: boolean | readonly string[]): readonly string[] {
  if (typeof given !== "boolean") return given;
  return given ? [PASSWORD] : [];
}

function algorithm({
  signatureAlgorithm,
  digestAlgorithm,
}: NonNullable<Given["security"]>): "sha256" | "sha512" {
  const digest = /#sha(256|512)$/.exec(digestAlgorithm ?? "#sha256");
  if (digest === null) throw fault("security.digestAlgorithm", "must be SHA-256 or SHA-512.");
  const found = /rsa-sha(256|512)$/.exec(signatureAlgorithm ?? "rsa-sha256");
  if (found === null) throw fault("security.signatureAlgorithm", "must be rsa-sha256 or rsa-sha512.");
  return found[1] === "512" ? "sha512" : "sha256";
}
