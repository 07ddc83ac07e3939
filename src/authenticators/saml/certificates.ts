/**
 * Certificates and the private key of `saml_settings`: PEM, or base64 alone as in metadata. RSA only, as SAML providers use;
 * a certificate is only the envelope of a key here, so an expired one warns and works. No error repeats a value.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { OperatorError } from "../../errors.ts";

const MIN_BITS = 2048;

/** PEM. `path`: below `args`, for errors. */
export function readCertificate(
  path: string,
  text: string,
  now: number,
  warn: (message: string) => void,
): string {
  const certificate = parsed(path, text);
  checkKey(path, certificate.publicKey);
  if (certificate.validToDate.getTime() <= now) {
    warn(
      `args.${path} expired on ${certificate.validToDate.toISOString().slice(0, 10)}; its key is still trusted.`,
    );
  }
  return certificate.toString();
}

function parsed(path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(pem(text, "CERTIFICATE"));
  } catch {
    throw new OperatorError(`args.${path}: is not an X.509 certificate (PEM, or base64 as in metadata).`);
  }
}

/** PEM. It must fit the certificate, where one is given. */
export function readPrivateKey(path: string, text: string, certificate: string | null): string {
  let key: KeyObject;
  try {
    key = createPrivateKey(/-----BEGIN/.test(text) ? text : pem(text, "PRIVATE KEY"));
  } catch {
    throw new OperatorError(`args.${path}: is not an unencrypted private key (PEM).`);
  }
  checkKey(path, key);
  if (certificate !== null && !new X509Certificate(certificate).checkPrivateKey(key)) {
    throw new OperatorError(`args.${path}: does not belong to saml_settings.sp.x509cert.`);
  }
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

function checkKey(path: string, key: KeyObject): void {
  if (key.asymmetricKeyType !== "rsa") throw new OperatorError(`args.${path}: its key is not RSA.`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_BITS)
    throw new OperatorError(`args.${path}: its key has ${bits} bits; ${MIN_BITS} are needed.`);
}

function pem(text: string, label: string): string {
  if (text.includes("-----BEGIN")) return text.trim();
  const lines = text.replace(/\s+/g, "").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
