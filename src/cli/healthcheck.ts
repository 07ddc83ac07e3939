/**
 * `tiled healthcheck`: asks a server on this machine whether it is alive, as the configuration says where and how it listens;
 * for containers, whose images cannot know. What else is wrong in the file is no matter of the server that runs.
 */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Command } from "commander";
import type { Config } from "../config/model.ts";
import { OperatorError } from "../errors.ts";
import { shownHost } from "../lib/address.ts";
import { ConfigError } from "../yaml/problems.ts";
import type { Terminal } from "./terminal.ts";
import { port } from "./values.ts";

interface HealthOptions {
  readonly host?: string;
  readonly port?: number;
  readonly ready?: boolean;
}

/** For the whole answer, in milliseconds: a container's check has some seconds. */
const PATIENCE_MS = 2_500;

export function healthVerb(tiled: Command, terminal: Terminal): void {
  tiled
    .command("healthcheck")
    .description("ask a server on this machine whether it is alive (exit code 0) or not (1)")
    .argument(
      "[file-or-folder]",
      "the configuration that it was started with (default: $TILED_CONFIG, or config.yml)",
    )
    .option("--host <address>", "the address that it was told to listen on (default: the configuration's)")
    .option("--port <number>", "the port that it was told to listen on (default: the configuration's)", port)
    .option("--ready", "ask for /healthz/ready: whether people can log in, too")
    .addHelpText("after", "\nUnder HTTPS the certificate is not checked: nothing secret is sent.")
    .action(async (path: string | undefined, options: HealthOptions) => {
      const { defaultConfigPath, readConfig } = await import("../config/load.ts");
      const { host, port } = options;
      const file = path ?? defaultConfigPath(terminal.env);
      const { config, problems } = readConfig(file, terminal.env, { host, port });
      if (config === undefined) throw new ConfigError(problems);
      const url = addressOf(config, options.ready ? "/healthz/ready" : "/healthz");
      const status = await statusOf(url);
      if (status !== 200) throw new OperatorError(`${url} answered with ${status}.`);
      terminal.out(`${url} answered with 200.`);
    });
}

function addressOf({ server: { host, port, tls, rootPath } }: Config, path: string): string {
  const local = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${tls === null ? "http" : "https"}://${shownHost(local)}:${port}${rootPath}${path}`;
}

function statusOf(url: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const failed = (why: string) => reject(new OperatorError(`${url} does not answer: ${why}.`));
  const request = url.startsWith("https:")
    ? // This machine's own server, whose certificate is for the name that others call it by.
      requestHttps(url, { rejectUnauthorized: false, agent: false })
    : requestHttp(url, { agent: false });
  const timer = setTimeout(() => {
    request.destroy();
    failed(`nothing came within ${PATIENCE_MS / 1000} s`);
  }, PATIENCE_MS);
  request.on("response", (response) => {
    resolve(response.statusCode);
    response.destroy();
  });
  request.on("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
  request.on("close", () => clearTimeout(timer));
  request.end();
  return promise;
}
