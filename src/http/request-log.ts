/**
 * The logger of one request. Most requests log only their own line (`logging.ts`), so pino's child logger, which adds the
 * request's id, is made at the first line that is logged.
 */
import type { FastifyBaseLogger } from "fastify";

type Line = readonly [facts: object | string, message?: string];

export class RequestLog {
  readonly #logger: FastifyBaseLogger;
  readonly #bindings: Readonly<Record<string, unknown>>;
  #child: FastifyBaseLogger | undefined;

  constructor(logger: FastifyBaseLogger, bindings: Readonly<Record<string, unknown>>) {
    this.#logger = logger;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#logger.level;
  }

  trace(...line: Line): void {
    this.#made().trace(...(line as [object, string]));
  }

  debug(...line: Line): void {
    this.#made().debug(...(line as [object, string]));
  }

  info(...line: Line): void {
    this.#made().info(...(line as [object, string]));
  }

  warn(...line: Line): void {
    this.#made().warn(...(line as [object, string]));
  }

  error(...line: Line): void {
    this.#made().error(...(line as [object, string]));
  }

  fatal(...line: Line): void {
    this.#made().fatal(...(line as [object, string]));
  }

  silent(): void {}

  child(bindings: Record<string, unknown>): FastifyBaseLogger {
    return this.#made().child(bindings);
  }

  #made(): FastifyBaseLogger {
    this.#child ??= this.#logger.child(this.#bindings);
    return this.#child;
  }
}
