/**
 * `tiled healthcheck`: asks a server on this machine whether it is alive, at the address and with the protocol of its
 * configuration, which an image of a container cannot know. Other errors in the file do not matter.
 */
import type { Command } from "commander";
import type { Config } from "../../config/model.ts";
import { OperatorError } from "../../errors.ts";
import { shownHost } from "../../lib/address.ts";
import { ConfigError } from "../../yaml/problems.ts";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { port } from "../console/values.ts";

interface HealthOptions {
  readonly host?: string;
  readonly port?: number;
  readonly ready?: boolean;
}

/** Milliseconds for the whole answer: a container's check has some seconds. */
const TIMEOUT_MS = 2_500;

export function healthVerb(tiled: Command, terminal: Terminal): void {
  const verb = tiled
    .command("healthcheck")
    .description("ask a server on this machine whether it is alive")
    .argument("[file-or-folder]", "the configuration of the server (default: $TILED_CONFIG, or config.yml)")
    .option("--host <address>", "the address it listens on (default: the configuration's)")
    .option("--port <number>", "the port it listens on (default: the configuration's)", port)
    .option("--ready", "ask for /healthz/ready: whether users can log in")
    .addHelpText("after", "\nThe certificate is not checked: nothing secret is sent.")
    .action(async (path: string | undefined, options: HealthOptions) => {
      const { defaultConfigPath, readConfig } = await import("../../config/load.ts");
      const { host, port } = options;
      const file = path ?? defaultConfigPath(terminal.env);
      const { config, problems } = readConfig(file, terminal.env, { host, port });
      if (config === undefined) throw new ConfigError(problems);
      const url = addressOf(config, options.ready ? "/healthz/ready" : "/healthz");
      const status = await statusOf(url);
      if (status !== 200) throw new OperatorError(`${url} answered with ${status}.`);
      terminal.out(`${url} answered with 200.`);
    });
  describe(verb, {
    examples: ["tiled healthcheck", "tiled healthcheck /etc/tiled/config.yml --ready"],
    exitCodes: ["0 the server is alive; with --ready, users can log in", "1 it is not"],
  });
}

function addressOf({ server: { host, port, tls, rootPath } }: Config, path: string): string {
  const local = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${tls === null ? "http" : "https"}://${shownHost(local)}:${port}${rootPath}${path}`;
}

async function statusOf(url: string): Promise<number | undefined> {
  // Loading them takes longer than printing help, so not at the top.
  const [{ request: requestHttp }, { request: requestHttps }] = await Promise.all([
    import("../../lib/node-http.ts"),
    import("node:https"),
  ]);
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const failed = (why: string) => reject(new OperatorError(`${url} does not answer: ${why}.`));
  const request = url.startsWith("https:")
    ? // The certificate of a server on this machine is for its public name.
      requestHttps(url, { rejectUnauthorized: false, agent: false })
    : requestHttp(url, { agent: false });
  const timer = setTimeout(() => {
    request.destroy();
    failed(`timed out after ${TIMEOUT_MS / 1000} s`);
  }, TIMEOUT_MS);
  request.on("response", (response) => {
    resolve(response.statusCode);
    response.destroy();
  });
  request.on("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
  request.on("close", () => clearTimeout(timer));
  request.end();
  return await promise;
}
