/**
 * A directory as the authenticator uses it: one connection for each piece of work, closed at its end, with a time limit; and
 * whether the directory works at the moment.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createSecureContext, getCACertificates, rootCertificates } from "node:tls";
import { Failure, OperatorError } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { Connection } from "./connection.ts";
import { Servers } from "./servers.ts";
import type { Settings } from "./settings.ts";
import type { TlsRules } from "./transport.ts";

export interface DirectoryOptions {
  readonly settings: Settings;
  /** Of the configuration. */
  readonly folder: string;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

export class Directory {
  readonly #settings: Settings;
  readonly #options: DirectoryOptions;
  readonly #servers: Servers;
  #tls: TlsRules | undefined;
  #problem: string | null = null;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#servers = new Servers(options.settings.servers, options.clock);
  }

  /** Null if the last contact worked. */
  problem(): string | null {
    return this.#problem;
  }

  /** Reads the authorities. @throws An error for the operator. */
  async prepare(): Promise<void> {
    const { tlsCaFile, tlsVerify, startTls } = this.#settings;
    let ca: string[] = [...rootCertificates, ...getCACertificates("system")];
    if (tlsCaFile !== null) {
      const path = resolve(this.#options.folder, tlsCaFile);
      ca = [
        await readFile(path, "utf8").catch((error: unknown) => {
          throw new OperatorError(
            `args.tls_ca_file: cannot be read: ${error instanceof Error ? error.message : error}`,
          );
        }),
      ];
      if (!ca[0]?.includes("-----BEGIN CERTIFICATE-----"))
        throw new OperatorError("args.tls_ca_file: has no certificate in PEM form.");
    }
    try {
      const context = createSecureContext({ ca, minVersion: "TLSv1.2" });
      this.#tls = { startTls, verify: tlsVerify, context, sessions: new Map() };
    } catch (error) {
      throw new OperatorError(
        `args.tls_ca_file: is not valid: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  /** Runs `work` on a fresh connection, within the time of a login. */
  async use<T>(
    work: (connection: Connection) => Promise<T>,
    report: (step: string) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    if (this.#tls === undefined) await this.prepare();
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(new Error("no answer in time")), this.#settings.loginTimeout);
    let connection: Connection | undefined;
    try {
      connection = await Connection.open({
        servers: this.#servers,
        tls: this.#tls as TlsRules,
        connectTimeout: this.#settings.connectTimeout,
        signal: signal === undefined ? end.signal : AbortSignal.any([end.signal, signal]),
        report,
      });
      const result = await work(connection);
      this.#now(null);
      return result;
    } catch (error) {
      if (signal?.aborted !== true && error instanceof Failure) this.#now(error.message);
      throw error;
    } finally {
      clearTimeout(timer);
      await connection?.close();
    }
  }

  #now(text: string | null): void {
    if (text !== null && this.#problem === null) this.#options.warn(`logins fail at the moment. ${text}`);
    if (text === null && this.#problem !== null) this.#options.warn("the directory answers again.");
    this.#problem = text;
  }
}
