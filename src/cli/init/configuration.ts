/**
 * From the answers to the files of a new configuration. `authentication.ts` and `data.ts` write its larger sections.
 */
import { basename, dirname, join } from "node:path";
import type { Answers } from "./answers.ts";
import { authenticationSection } from "./authentication.ts";
import { dataSections } from "./data.ts";
import { databaseSection } from "./database.ts";
import { isOpenId } from "./openid-connect.ts";
import { secretsText, type Variable } from "./secrets.ts";
import { scalar } from "./text.ts";
import type { NewFile } from "./write.ts";

export interface NewConfiguration {
  /** The configuration last: as soon as it is there, everything that it names is there. */
  readonly files: readonly NewFile[];
  readonly variables: readonly Variable[];
}

/** Beside the configuration, with the same name. */
export function secretsFileOf(file: string): string {
  return join(dirname(file), `${basename(file).replace(/\.[^.]*$/, "")}.env`);
}

/** `file`: the absolute path of the configuration. */
export function newConfiguration(answers: Answers, file: string): NewConfiguration {
  const folder = dirname(file);
  const secretsFile = secretsFileOf(file);
  const shown = basename(secretsFile);
  const authentication = authenticationSection(answers, shown);
  const database =
    answers.logins && databaseSection(answers.logins.database, join(folder, "tiled.db"), shown);
  const data = dataSections(answers, folder);
  const sections = [
    [
      "# Written by 'tiled init'. 'tiled config check' finds mistakes; every key is in docs/reference/configuration.md",
    ],
    ["# The values of $NAME below.", `env_file: ${scalar(`./${shown}`)}`],
    serverSection(answers),
    authentication.lines,
    ...(database === null ? [] : [database.lines]),
    data.lines,
  ];
  const variables = [...authentication.variables, ...(database?.variables ?? [])];
  return {
    variables,
    files: [
      { path: secretsFile, text: secretsText(variables, basename(file)), secret: true },
      ...[...data.files].map(([name, text]) => ({ path: join(folder, name), text, secret: false })),
      { path: file, text: `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`, secret: false },
    ],
  };
}

function serverSection({ address, logins }: Answers): readonly string[] {
  if (address.kind === "public")
    return [
      "server:",
      "  # A reverse proxy on this machine serves HTTPS and passes requests on to this port: example_configs/reverse-proxy",
      "  host: 127.0.0.1",
      "  port: 8000",
      "  # The base of every link.",
      `  public_url: ${scalar(address.url)}`,
      "  # The proxy's address. X-Forwarded-… counts from there only; without it, everyone shares the proxy's address.",
      "  trusted_proxies: [127.0.0.1]",
    ];
  return [
    "server:",
    "  # Reachable from this machine only. For others: docs/how-to/https.md",
    "  host: 127.0.0.1",
    `  port: ${address.port}`,
    // A provider compares redirect URIs letter by letter.
    ...(logins !== null && isOpenId(logins.provider)
      ? ["  # The base of every link, and of the redirect URIs.", `  public_url: ${scalar(address.url)}`]
      : []),
  ];
}
