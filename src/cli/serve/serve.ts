/**
 * `tiled serve …`: from the command line to a configuration. `run.ts` serves it, `demo.ts` has that of the demo.
 */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Config } from "../../config/model.ts";
import { OperatorError } from "../../errors.ts";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { port } from "../console/values.ts";
import type { RunOptions } from "./run.ts";

const LEVELS: readonly Config["log"]["level"][] = [
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "fatal",
  "silent",
];
const FORMATS: readonly Config["log"]["format"][] = ["auto", "pretty", "json"];

interface ListenOptions {
  readonly host?: string;
  readonly port?: number;
}

interface LogOptions {
  readonly logFormat?: Config["log"]["format"];
  readonly logLevel?: Config["log"]["level"];
  readonly logTimestamps?: boolean;
  readonly logConfig?: string;
}

interface ServeOptions extends ListenOptions, LogOptions {
  readonly public?: boolean;
  readonly apiKey?: string;
  readonly scalable?: boolean;
}

export function serveVerbs(tiled: Command, terminal: Terminal): void {
  const serve = tiled
    .command("serve")
    .description("start a server")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
The server prints its address on stdout when it is ready. The log goes to stderr: readable lines on a terminal (without
colours if NO_COLOR is set), elsewhere one JSON line per request.
SIGTERM and Ctrl-C finish requests under way (at most 8 s) and exit with 0; a second signal ends the server at once.
On SIGHUP, and when their files change, the certificate and the rules of the section cave are reloaded (docs/how-to/operations.md).`,
    );
  describeServer(serve, ["tiled serve demo", "tiled serve config /etc/tiled/config.yml"]);

  const config = withCommonOptions(serve.command("config")).addHelpText(
    "after",
    "\n'tiled config check FILE' checks a configuration without starting a server.",
  );
  describeServer(config, ["tiled serve config /etc/tiled/config.yml", "tiled serve config --port 0"])
    .description("serve a configuration")
    .argument(
      "[file-or-folder]",
      "a YAML file, or a folder of *.yml and *.yaml files (default: $TILED_CONFIG, or config.yml)",
    )
    .action(async (path: string | undefined, options: ServeOptions) => {
      const { loadWhole } = await import("../config/check.ts");
      await start(await loadWhole(path, terminal, overrides(options)), options, terminal);
    });

  describeServer(withCommonOptions(serve.command("pyobject")), [
    "tiled serve pyobject tiled.examples.generated_minimal:tree",
    "tiled serve pyobject tiled.examples.generated_minimal:tree --public",
  ])
    .description("serve one tree to a single user, without a configuration file")
    .argument("<name>", "the tree, e.g. tiled.examples.generated_minimal:tree")
    .action(async (tree: string, options: ServeOptions) => {
      const { singleUserConfig } = await import("../../config/load.ts");
      const config = singleUserConfig({ tree, env: terminal.env, ...overrides(options) });
      await start(config, options, terminal);
    });

  describeServer(withCommonOptions(serve.command("directory")), [
    "tiled serve directory measurements",
    "tiled serve directory /data --public --host 0.0.0.0",
  ])
    .description("serve a folder's CSV and .npy files to a single user, without a configuration file")
    .argument("<folder>", "the folder; JSON files beside its entries become their metadata")
    .action(async (folder: string, options: ServeOptions) => {
      const { singleUserConfig } = await import("../../config/load.ts");
      const args = { directory: resolve(folder) };
      const config = singleUserConfig({ tree: "files", args, env: terminal.env, ...overrides(options) });
      await start(config, options, terminal);
    });

  serve
    .command("catalog", { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .description("refused with advice: only a real Tiled serves a catalog")
    .action(() => {
      throw new OperatorError(
        "Only a real Tiled serves a catalog. Write a configuration for it (catalog: {uri: …}), then put this server in front of it with 'tiled config migrate FILE'. See docs/how-to/migrating.md.",
      );
    });

  describeServer(withLogOptions(withListenOptions(serve.command("demo")), "warn"), [
    "tiled serve demo",
    "tiled serve demo --port 0 --log-level info",
  ])
    .description("serve example data with two new accounts, all in memory")
    .action(async (options: ListenOptions & LogOptions) => {
      const { demo } = await import("./demo.ts");
      const { config, notice } = demo({ host: options.host, port: options.port });
      await start(config, { ...options, notice }, terminal);
    });
}

function describeServer(command: Command, examples: readonly string[]): Command {
  return describe(command, {
    examples,
    exitCodes: [
      "0 stopped by a signal",
      "1 the configuration is refused",
      "3 the server cannot start (port in use, …)",
      "130",
    ],
  });
}

function withCommonOptions(command: Command): Command {
  return withLogOptions(
    withListenOptions(
      command
        .option("--public", "let visitors read without logging in (authentication.allow_anonymous_access)")
        .option(
          "--api-key <key>",
          "the single user's API key, letters and digits (default: a new one, which is printed)",
        )
        .option("--scalable", "refuse to start unless several processes can share this configuration"),
    ),
  );
}

function withListenOptions(command: Command): Command {
  return command
    .option(
      "--host <address>",
      "the address to listen on; 0.0.0.0 or '::' for all (default: the configuration's, or 127.0.0.1)",
    )
    .option(
      "--port <number>",
      "the port to listen on; 0: any free port (default: the configuration's, or 8000)",
      port,
    );
}

function withLogOptions(command: Command, level = "the configuration's, or info"): Command {
  return command
    .addOption(
      new Option("--log-level <level>", `the lowest level in the log (default: ${level})`).choices(LEVELS),
    )
    .addOption(
      new Option(
        "--log-format <format>",
        "pretty: readable lines; json: one JSON line per request; auto: pretty on a terminal (default: the configuration's, or auto)",
      ).choices(FORMATS),
    )
    .option("--log-timestamps", "write times in the log as ISO 8601 instead of milliseconds since 1970")
    .option("--no-log-timestamps", "write times in the log as milliseconds since 1970")
    .option("--log-config <file>", "no effect; accepted so that commands for uvicorn work");
}

function overrides({ public: open, apiKey, host, port }: ServeOptions) {
  return { public: open, apiKey, host, port };
}

async function start(
  config: Config,
  options: LogOptions & Pick<ServeOptions, "scalable"> & Pick<RunOptions, "notice">,
  terminal: Terminal,
): Promise<void> {
  if (options.scalable) {
    const { checkScalable } = await import("./scalable.ts");
    checkScalable(config);
  }
  if (options.logConfig !== undefined) {
    terminal.err("--log-config has no effect here: it configures uvicorn's log. See --log-level.");
  }
  const { run } = await import("./run.ts");
  const { logFormat, logLevel, logTimestamps = false, notice } = options;
  await run(config, { logFormat, logLevel, logTimestamps, notice }, terminal);
}
