/** What `tiled init` prints at the end: the files, what is left to fill in, the next two commands, and the first login. */
import { commandLine, shownPath } from "../console/shell.ts";
import type { Answers } from "./answers.ts";
import { KEY, passwordVariable, providerName, SECRET } from "./authentication.ts";
import { secretsFileOf } from "./configuration.ts";
import { isOpenId, registrationOf } from "./openid-connect.ts";
import type { Variable } from "./secrets.ts";
import type { NewFile } from "./write.ts";

interface Written {
  readonly answers: Answers;
  /** The configuration. */
  readonly file: string;
  readonly files: readonly NewFile[];
  readonly variables: readonly Variable[];
  /** How this command is run. */
  readonly command: readonly string[];
}

export function nextSteps(written: Written): readonly string[] {
  const { answers, file, files, command } = written;
  const config = shownPath(file);
  return [
    "Written:",
    ...files
      .toReversed()
      .map(({ path, secret }) => `  ${shownPath(path)}${secret ? "   secrets, mode 0600" : ""}`),
    ...before(written),
    "",
    "Next:",
    `  ${commandLine(command, "config", "check", config)}`,
    `  ${commandLine(command, "serve", "config", config)}`,
    "",
    ...firstLogin(answers, shownPath(secretsFileOf(file)), command),
    ...administrator(answers, config, command),
  ];
}

/** What only the owner can do. */
function before({ answers, file, variables }: Written): readonly string[] {
  const { data, logins, address } = answers;
  const lines: string[] = [];
  if (logins !== null && isOpenId(logins.provider)) {
    const name = providerName(logins.provider);
    const { at, redirectUris, note } = registrationOf(logins.provider, name, address);
    lines.push(
      `Register this server at ${at} with these redirect URIs:`,
      ...redirectUris.map((uri) => `  ${uri}`),
    );
    if (note !== null) lines.push(note);
  }
  const missing = variables.filter(({ value }) => value === null).map(({ name }) => name);
  if (missing.length > 0) lines.push(`Fill in ${missing.join(", ")} in ${shownPath(secretsFileOf(file))}.`);
  if (data.kind === "tiled")
    lines.push(`Give the Tiled at ${data.url} the same ${SECRET}, as in example_configs/gateway/tiled.yml.`);
  return lines.length === 0 ? [] : ["", "First:", ...lines.map((line) => `  ${line}`)];
}

function firstLogin(
  { who, logins, address: { url } }: Answers,
  secrets: string,
  command: readonly string[],
): readonly string[] {
  const python = (key: string) =>
    `  from tiled.client import from_uri; c = from_uri("${url}"${key})   # in Python`;
  if (who === "public")
    return [
      `Anyone may read, in a browser at ${url}, or:`,
      python(""),
      `The key that may do more is ${KEY} in ${secrets}.`,
    ];
  if (logins === null)
    return [
      `Then, with ${KEY} from ${secrets} as KEY:`,
      `  ${url}?api_key=KEY   # in a browser`,
      python(', api_key="KEY"'),
    ];
  const { provider, admin } = logins;
  const password =
    provider.kind === "passwords" && admin !== null
      ? ` as ${admin}, with the password ${passwordVariable(admin)} in ${secrets}`
      : "";
  return [`Then log in${password}:`, `  ${commandLine(command, "login", url)}`, python("")];
}

/** A person's ID at a provider is known only after a login. */
function administrator({ logins }: Answers, config: string, command: readonly string[]): readonly string[] {
  if (logins === null || logins.admin !== null) return [];
  const name = providerName(logins.provider);
  return [
    "",
    "There is no administrator yet. To make yourself one, with the ID that the login shows:",
    `  ${commandLine(command, "admin", "make-admin", name)} ID --config ${config}`,
  ];
}
