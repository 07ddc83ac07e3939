/**
 * Reads and checks the server's certificate and key before it listens, so that a mistake stops the start instead of failing
 * every handshake. `start/steps.ts` adds the place in the configuration.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { OperatorError } from "./errors.ts";
import { unreadable } from "./lib/unreadable.ts";

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export async function readCert(path: string): Promise<Buffer> {
  const cert = await read(path);
  try {
    createSecureContext({ cert });
  } catch (error) {
    throw new OperatorError(`${resolve(path)} is not a certificate in PEM form (${reason(error)}).`);
  }
  return cert;
}

export async function readKey(path: string): Promise<Buffer> {
  const key = await read(path);
  try {
    createSecureContext({ key });
  } catch (error) {
    throw new OperatorError(
      `${resolve(path)} is not a private key in PEM form without a passphrase (${reason(error)}). ` +
        "Remove a passphrase with: openssl pkey -in KEY -out NEW_KEY",
    );
  }
  return key;
}

export function checkPair(tls: Tls, files: { readonly cert: string; readonly key: string }): void {
  try {
    createSecureContext(tls);
  } catch {
    throw new OperatorError(
      `the private key ${resolve(files.key)} does not belong to the certificate ${resolve(files.cert)}. ` +
        "In a file with a chain, the server's own certificate comes first.",
    );
  }
}

/** A warning about a certificate that browsers will refuse; otherwise undefined. */
export function certificateWarning(cert: Buffer, now: number): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  if (now > validToDate.getTime()) return `the certificate expired on ${day(validToDate)}. Renew it.`;
  return now < validFromDate.getTime()
    ? `the certificate is not valid before ${day(validFromDate)}.`
    : undefined;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new OperatorError(unreadable(path, error));
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
