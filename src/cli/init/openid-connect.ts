/**
 * An OpenID Connect provider in a new configuration: where a client is registered, with which redirect URIs, and which variables its
 * credentials are.
 */
import { redirectUris } from "../console/notices.ts";
import type { Address, OpenIdProvider, Provider } from "./answers.ts";
import { type Section, scalar } from "./text.ts";

interface Known {
  readonly wellKnown: string;
  /** The page where clients are registered. */
  readonly register: string;
  /** How to restrict who may log in. */
  readonly limit: readonly string[];
  /** What it says about a server that only this machine reaches. */
  readonly local: string | null;
}

const KNOWN: Readonly<Record<"orcid" | "google", Known>> = {
  orcid: {
    wellKnown: "https://orcid.org/.well-known/openid-configuration",
    register: "https://orcid.org/developer-tools",
    limit: [
      "# Only these people. Without the list, everyone with an ORCID iD may log in.",
      "# allowed_users: [0000-0002-1825-0097]",
    ],
    local:
      "ORCID accepts https:// redirect URIs only. On this machine use its sandbox: docs/how-to/openid-connect.md",
  },
  google: {
    wellKnown: "https://accounts.google.com/.well-known/openid-configuration",
    register: "https://console.cloud.google.com/auth/clients",
    limit: [
      "# Only people of these domains. Without the list, everyone with a Google account may log in.",
      "# allowed_domains: [example.org]",
    ],
    local: null,
  },
};

const LIMIT = [
  "# Only these people. Without the list, everyone with an account there may log in.",
  '# allowed_users: ["…"]',
];

export function isOpenId(provider: Provider): provider is OpenIdProvider {
  return provider.kind === "orcid" || provider.kind === "google" || provider.kind === "issuer";
}

interface Registration {
  /** The page, or the provider. */
  readonly at: string;
  readonly redirectUris: readonly string[];
  readonly variables: readonly [id: string, secret: string];
  /** Null if there is nothing to say. */
  readonly note: string | null;
}

/** `name`: in the configuration. */
export function registrationOf(provider: OpenIdProvider, name: string, address: Address): Registration {
  const known = provider.kind === "issuer" ? null : KNOWN[provider.kind];
  const prefix = name.toUpperCase();
  return {
    at: known?.register ?? "the provider",
    redirectUris: redirectUris(address.url, [name]),
    variables: [`${prefix}_CLIENT_ID`, `${prefix}_CLIENT_SECRET`],
    note: address.kind === "local" ? (known?.local ?? null) : null,
  };
}

export function openIdEntry(
  provider: OpenIdProvider,
  {
    name,
    address,
    secretsFile,
  }: { readonly name: string; readonly address: Address; readonly secretsFile: string },
): Section {
  const { at, redirectUris, variables, note } = registrationOf(provider, name, address);
  const [id, secret] = variables;
  const known = provider.kind === "issuer" ? null : KNOWN[provider.kind];
  const wellKnown = provider.kind === "issuer" ? provider.wellKnown : KNOWN[provider.kind].wellKnown;
  return {
    lines: [
      `# Register this server at ${at} with these redirect URIs,`,
      `# and put the client ID and secret into ${secretsFile}: docs/how-to/openid-connect.md`,
      ...redirectUris.map((uri) => `#   ${uri}`),
      ...(note === null ? [] : [`# ${note}`]),
      `- provider: ${name} # part of URLs and of every identity: do not rename it later`,
      "  authenticator: tiled.authenticators:OIDCAuthenticator",
      "  args:",
      `    well_known_uri: ${scalar(wellKnown)}`,
      `    client_id: $${id}`,
      `    client_secret: $${secret}`,
      '    confirmation_message: "You have logged in as {id}."',
      ...(known?.limit ?? LIMIT).map((line) => `    ${line}`),
    ],
    variables: [
      { name: id, about: `From ${at}. Fill it in, and remove the '#' in front.`, value: null },
      { name: secret, about: "The same.", value: null },
    ],
  };
}
