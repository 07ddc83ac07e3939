/**
 * The server's certificate while it runs: read again when one of its files changes, or when the operator asks (SIGHUP). One
 * that cannot be used changes nothing: the old one stays in force, and the log says so.
 */
import { X509Certificate } from "node:crypto";
import type { Server } from "node:tls";
import type { Logger } from "pino";
import { OperatorError } from "../errors.ts";
import { WatchedFile, type WatchOptions } from "../lib/watched-file.ts";
import type { Tls } from "../tls.ts";

export interface TlsRenewalParts {
  readonly files: { readonly cert: string; readonly key: string };
  /** What the server has begun with, and how it is read again; that tells what is wrong with it, too. */
  readonly current: Tls;
  readonly read: () => Promise<Tls>;
  readonly server: Pick<Server, "setSecureContext">;
  readonly log: Pick<Logger, "info" | "error">;
  readonly watch?: WatchOptions;
}

export class TlsRenewal {
  readonly #parts: TlsRenewalParts;
  readonly #watched: readonly WatchedFile[];
  #current: Tls;
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: TlsRenewalParts) {
    this.#parts = parts;
    this.#current = parts.current;
    const { cert, key } = parts.files;
    this.#watched = [...new Set([cert, key])].map(
      (file) => new WatchedFile(file, () => void this.read(), parts.watch),
    );
  }

  start(): void {
    for (const file of this.#watched) file.start();
    // What has changed since the server read them.
    void this.read();
  }

  stop(): void {
    for (const file of this.#watched) file.stop();
  }

  /** One after the other: the last state of the files is what counts. */
  read(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { read, server, log } = this.#parts;
    try {
      const found = await read();
      if (found.cert.equals(this.#current.cert) && found.key.equals(this.#current.key)) return;
      server.setSecureContext(found);
      this.#current = found;
      const { subject, validTo } = new X509Certificate(found.cert);
      log.info({ subject, validTo }, "New connections get the certificate that server.tls names now.");
    } catch (error) {
      const why = error instanceof OperatorError ? error.message : String(error);
      // A line of the log is one line.
      log.error(`${why.replaceAll("\n", " ")} The certificate from before stays in force.`);
    }
  }
}
