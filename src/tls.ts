/**
 * The server's certificate and key, read and tried once before it listens, so that a mistake stops the start with its
 * reason instead of failing every handshake.
 */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { OperatorError } from "./errors.ts";

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export async function readTls(files: { readonly cert: string; readonly key: string }): Promise<Tls> {
  const cert = await read("cert", files.cert);
  const key = await read("key", files.key);
  try {
    createSecureContext({ cert });
  } catch (error) {
    throw new OperatorError(
      `server.tls.cert: ${files.cert} is not a certificate in PEM form (${reason(error)}).`,
    );
  }
  try {
    createSecureContext({ key });
  } catch (error) {
    throw new OperatorError(
      `server.tls.key: ${files.key} is not a private key in PEM form without a passphrase (${reason(error)}).`,
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch {
    throw new OperatorError(
      `server.tls: the key ${files.key} does not belong to the certificate ${files.cert}.`,
    );
  }
  return { cert, key };
}

async function read(name: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new OperatorError(`server.tls.${name}: the file ${path} cannot be read (${reason(error)}).`);
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
