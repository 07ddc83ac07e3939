/**
 * The section `authentication` of a new configuration: who may log in, and how. What an OpenID Connect provider needs is in
 * `openid-connect.ts`.
 */
import { newPassword } from "../console/passwords.ts";
import type { Address, Answers, Logins, Provider } from "./answers.ts";
import { isOpenId, openIdEntry } from "./openid-connect.ts";
import { newKey, type Variable } from "./secrets.ts";
import { type Section, scalar } from "./text.ts";

/** The key of a server without logins. */
export const KEY = "TILED_KEY";
/** Signs the tokens of logins, and what a Tiled behind is told of a caller. */
export const SECRET = "TILED_SECRET";

/** `secretsFile`: the name of the file with the variables. */
export function authenticationSection(answers: Answers, secretsFile: string): Section {
  const { logins } = answers;
  return logins === null ? keySection(answers) : loginSection(logins, answers, secretsFile);
}

function keySection({ who, data }: Answers): Section {
  const visitors = who === "public";
  const purpose = visitors ? "has every permission" : "is needed for every request";
  const behind = data.kind === "tiled";
  return {
    lines: [
      "authentication:",
      ...(visitors ? ["  # Visitors may read without a login.", "  allow_anonymous_access: true"] : []),
      `  # The key that ${purpose}. The server has a single user, and no logins.`,
      `  single_user_api_key: $${KEY}`,
      ...(behind ? ["  # The same in the Tiled behind.", `  secret_keys: [$${SECRET}]`] : []),
    ],
    variables: [
      { name: KEY, about: `The server's API key, which ${purpose}.`, value: newKey() },
      ...(behind ? [signing("The same as in the Tiled behind.")] : []),
    ],
  };
}

function loginSection(
  { provider, admin }: Logins,
  { who, address, data }: Answers,
  secretsFile: string,
): Section {
  const name = providerName(provider);
  const entry = entryOf(provider, { name, admin, address, secretsFile });
  return {
    lines: [
      "authentication:",
      ...(who === "mixed"
        ? [
            "  # Visitors may read without a login what the access policy makes public.",
            "  allow_anonymous_access: true",
          ]
        : []),
      "  providers:",
      ...entry.lines.map((line) => `    ${line}`),
      "  # Administrators see the other accounts, end logins and revoke keys. The id is the one that a login shows.",
      ...(admin === null
        ? ["  # tiled_admins:", `  #   - { provider: ${name}, id: "…" }`]
        : ["  tiled_admins:", `    - { provider: ${name}, id: ${scalar(admin)} }`]),
      `  # Signs tokens.${data.kind === "tiled" ? " The same in the Tiled behind." : ""} To change it: docs/how-to/operations.md`,
      `  secret_keys: [$${SECRET}]`,
    ],
    variables: [
      signing("Signs the tokens of logins. If it changes, everyone has to log in again."),
      ...entry.variables,
    ],
  };
}

function signing(about: string): Variable {
  return { name: SECRET, about, value: newKey() };
}

/** The name of the provider in the configuration, which is part of identities and of redirect URIs. */
export function providerName(provider: Provider): string {
  if (provider.kind === "passwords") return "local";
  if (provider.kind === "issuer") return provider.wellKnown.includes("/realms/") ? "keycloak" : "oidc";
  return provider.kind;
}

/** The variable of a user's password. */
export function passwordVariable(user: string): string {
  const name = user
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
  return `${/^[A-Z]/.test(name) ? name : `USER_${name}`}_PASSWORD`;
}

interface Entry {
  readonly name: string;
  readonly admin: string | null;
  readonly address: Address;
  readonly secretsFile: string;
}

function entryOf(provider: Provider, entry: Entry): Section {
  if (isOpenId(provider)) return openIdEntry(provider, entry);
  return provider.kind === "pam" ? pamEntry(entry) : passwordsEntry(entry);
}

function pamEntry({ name }: Entry): Section {
  return {
    lines: [
      "# The accounts of this machine. To check passwords of accounts other than its own, the server runs as root, or in the",
      "# group that may read /etc/shadow: docs/how-to/authenticators.md",
      `- provider: ${name} # part of URLs and of every identity: do not rename it later`,
      "  authenticator: tiled.authenticators:PAMAuthenticator",
      "  args:",
      "    service: login # a file in /etc/pam.d",
    ],
    variables: [],
  };
}

function passwordsEntry({ name, admin, secretsFile }: Entry): Section {
  const user = admin ?? "admin";
  const variable = passwordVariable(user);
  return {
    lines: [
      `# Users with passwords in ${secretsFile}, for trials and a handful of people. Other ways: docs/how-to/authenticators.md`,
      `- provider: ${name} # part of URLs and of every identity: do not rename it later`,
      "  authenticator: tiled.authenticators:DictionaryAuthenticator",
      "  args:",
      "    users_to_passwords:",
      `      ${scalar(user)}: $${variable}`,
      `      # bob: $BOB_PASSWORD # and a line BOB_PASSWORD=… in ${secretsFile}`,
    ],
    variables: [{ name: variable, about: `The password of ${user}.`, value: newPassword() }],
  };
}
