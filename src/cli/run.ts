/**
 * Runs a server in the foreground: what it prints, and the signals that end it (also as the first process of a
 * container, where none has an effect unless it is handled).
 */
import type { Config } from "../config/model.ts";
import { Failure, OperatorError } from "../errors.ts";
import type { RunningServer } from "../server.ts";
import { LogBuffer } from "./log-buffer.ts";
import { startNotice } from "./notices.ts";
import type { Terminal } from "./terminal.ts";

export interface RunOptions {
  readonly logLevel: string;
  readonly logTimestamps: boolean;
  /** What is printed once the server answers, in place of the usual notice. */
  readonly notice?: ((server: RunningServer) => string) | undefined;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Resolves once a signal has ended the server. */
export async function run(config: Config, options: RunOptions, terminal: Terminal): Promise<void> {
  const lines = new LogBuffer(terminal.log);
  const { events } = terminal;
  events.once("exit", () => lines.flush());
  terminal.keepRunning();

  let requested: () => void = () => {};
  const stop = new Promise<void>((resolve) => {
    requested = resolve;
  });
  // Nothing is under way during the start that a sudden end could harm; after the first signal the second ends it.
  let onSignal = () => terminal.exit(0);
  for (const signal of SIGNALS) events.on(signal, () => onSignal());

  const [{ startServer }, { pino }] = await Promise.all([import("../server.ts"), import("pino")]);
  const log = pino(
    {
      level: options.logLevel,
      base: null,
      timestamp: options.logTimestamps ? pino.stdTimeFunctions.isoTime : pino.stdTimeFunctions.epochTime,
    },
    lines,
  );
  const server = await startServer(config, { log }).catch((error: unknown) => {
    throw error instanceof Failure
      ? new OperatorError(`The server cannot start: ${error.message}`, 3)
      : error;
  });
  onSignal = () => {
    onSignal = () => terminal.exit(1);
    requested();
  };
  events.once("uncaughtExceptionMonitor", (error: unknown) => {
    log.fatal({ err: error }, "Unexpected error: the server ends.");
  });

  terminal.out(options.notice?.(server) ?? notice(server, config));

  await stop;
  await server.stop();
  lines.flush();
}

function notice(server: RunningServer, config: Config): string {
  return startNotice({
    ...server,
    writable: config.upstreams.length > 0,
    publicUrl: config.server.publicUrl,
    secretKeysConfigured: config.authentication.secretKeys !== null,
  });
}
