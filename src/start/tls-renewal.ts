/**
 * Reads the server's certificate again when one of its files changes, or on SIGHUP. If it is unusable, the old one stays in
 * use, and the log says why.
 */
import { X509Certificate } from "node:crypto";
import type { Server } from "node:tls";
import type { Logger } from "pino";
import { OperatorError } from "../errors.ts";
import { WatchedFile, type WatchOptions } from "../lib/watched-file.ts";
import type { Tls } from "../tls.ts";

export interface TlsRenewalParts {
  readonly files: { readonly cert: string; readonly key: string };
  /** The pair the server started with. */
  readonly current: Tls;
  /** Reads and checks the files; throws an `OperatorError`. */
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
    // The files may have changed since the server read them.
    void this.read();
  }

  stop(): void {
    for (const file of this.#watched) file.stop();
  }

  /** Readings run one after the other, so the last state of the files wins. */
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
      // One line in the log.
      log.error(`${why.replaceAll("\n", " ")} The certificate from before stays in force.`);
    }
  }
}
