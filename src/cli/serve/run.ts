/**
 * Runs a server in the foreground: its output, and the signals that end it (also as the first process of a container, where
 * an unhandled signal has no effect).
 */
import type { Config } from "../../config/model.ts";
import { Failure, OperatorError } from "../../errors.ts";
import { saveCompiledCode } from "../../lib/compile-cache.ts";
import { letYoungGenerationGrow } from "../../lib/heap-growth.ts";
import type { RunningServer } from "../../server.ts";
import { startNotice } from "../console/notices.ts";
import type { Terminal } from "../console/terminal.ts";
import { LogBuffer, type LogBufferOptions } from "./log-buffer.ts";

export interface RunOptions {
  /** Instead of the configuration's, both. */
  readonly logFormat: Config["log"]["format"] | undefined;
  readonly logLevel: Config["log"]["level"] | undefined;
  readonly logTimestamps: boolean;
  /** Printed when the server is ready, instead of the usual notice. */
  readonly notice?: ((server: RunningServer) => string) | undefined;
}

/** Time for the log's reader at the end. */
const LOG_MS = 500;
/** After the start. */
const SAVE_MS = 2_000;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Resolves after a signal has ended the server. */
export async function run(config: Config, options: RunOptions, terminal: Terminal): Promise<void> {
  const lines = new LogBuffer(terminal.log, {
    ...(await rendering(options.logFormat ?? config.log.format, options, terminal)),
    onDropped: (dropped) =>
      log.warn({ dropped }, "Lines of the log were dropped, since its reader is too slow."),
  });
  const { events } = terminal;
  events.once("exit", () => terminal.lastLog(lines.takeLast()));
  terminal.keepRunning();

  let requested: () => void = () => {};
  const stop = new Promise<void>((resolve) => {
    requested = resolve;
  });
  // A start can be ended at once. A running server stops at the first signal, and ends at once at the second.
  let onSignal = () => terminal.exit(0);
  for (const signal of SIGNALS) events.on(signal, () => onSignal());
  let reread: () => void = () => {};
  // The terminal was closed, or an operator wants the certificate reloaded.
  events.on("SIGHUP", () => (terminal.hungUp() ? onSignal() : reread()));

  const [{ startServer }, { pino }] = await Promise.all([import("../../server.ts"), import("pino")]);
  const log = pino(
    {
      level: options.logLevel ?? config.log.level,
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
  reread = () => void server.reread();
  events.once("uncaughtExceptionMonitor", (error: unknown) => {
    log.fatal({ err: error }, "Unexpected error: the server ends.");
  });

  terminal.out(options.notice?.(server) ?? notice(server, config));
  letYoungGenerationGrow();
  // Not before the first requests.
  setTimeout(saveCompiledCode, SAVE_MS).unref();

  await stop;
  await server.stop();
  await lines.end(LOG_MS);
}

/** How lines are rendered. The code for people is loaded only if a person reads the log. */
async function rendering(
  format: Config["log"]["format"],
  { logTimestamps }: RunOptions,
  { errView }: Terminal,
): Promise<LogBufferOptions> {
  if (format === "json" || (format === "auto" && !errView.terminal)) return {};
  const { prettyLines } = await import("../../lib/pretty-lines.ts");
  return { render: prettyLines({ colours: errView.colours, isoTimes: logTimestamps }) };
}

function notice(server: RunningServer, config: Config): string {
  return startNotice({
    ...server,
    writable: config.upstreams.length > 0,
    publicUrl: config.server.publicUrl,
    accountUrl: config.server.accountUrl,
    caveAddress: config.cave?.serverAddress ?? null,
    secretKeysConfigured: config.authentication.secretKeys !== null,
  });
}
