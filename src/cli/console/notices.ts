/**
 * What a server prints on stdout when it is ready: its address, permissions, and what ends with the process.
 */
import type { Secret } from "../../lib/secrets.ts";
import type { AccessMode } from "../../pages/landing.ts";

export interface StartFacts {
  /** The address it listens on, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly publicUrl: string | null;
  readonly accountUrl: string | null;
  /** `cave.server_address`. */
  readonly caveAddress: string | null;
  readonly mode: AccessMode;
  /** Whether anything that is served can be written to. */
  readonly writable: boolean;
  /** A single-user key that was made for this start. A configured one is never printed. */
  readonly generatedKey: Secret | null;
  /** Whether the database outlives the process. */
  readonly durable: boolean;
  readonly secretKeysConfigured: boolean;
  readonly identityProviders: readonly RegisteredAt[];
}

/** A provider at which the operator registers this server. */
export interface RegisteredAt {
  readonly name: string;
  /** Whether it posts its answer, as SAML does. */
  readonly posts: boolean;
}

export function startNotice(facts: StartFacts): string {
  const query = facts.generatedKey === null ? "" : `?api_key=${facts.generatedKey.reveal()}`;
  const { url, publicUrl, accountUrl, caveAddress } = facts;
  const addresses = new Set([url, publicUrl, caveAddress].filter((address) => address !== null));
  return [
    "Tiled is ready. Open this address in a browser, or connect a Tiled client to it:",
    "",
    ...[...addresses].map((address) => `    ${address}${query}`),
    "",
    ...remarks(facts),
    ...redirectNotice(accountUrl ?? publicUrl ?? caveAddress ?? url, facts.identityProviders),
  ].join("\n");
}

export function redirectNotice(base: string, providers: readonly RegisteredAt[]): string[] {
  const names = (posts: boolean) => providers.filter((one) => one.posts === posts).map(({ name }) => name);
  const [redirecting, posting] = [redirectUris(base, names(false)), names(true)];
  return [
    ...(redirecting.length > 0 ? ["Redirect URIs to register at the providers:"] : []),
    ...redirecting.map((uri) => `    ${uri}`),
    ...(posting.length > 0
      ? ["Assertion consumer services to register at the SAML providers, and metadata:"]
      : []),
    ...posting.flatMap((name) => ["code", "metadata"].map((end) => `    ${addressOf(base, name, end)}`)),
  ];
}

/** `base`: the server's address for browsers. Providers compare redirect URIs letter by letter. */
export function redirectUris(base: string, providers: readonly string[]): string[] {
  return providers.flatMap((name) => ["code", "device_code"].map((end) => addressOf(base, name, end)));
}

function addressOf(base: string, provider: string, end: string): string {
  return `${base.replace(/\/$/, "")}/api/v1/auth/provider/${provider}/${end}`;
}

function remarks({ mode, writable, generatedKey, durable, secretKeysConfigured }: StartFacts): string[] {
  const lines: string[] = [];
  if (mode === "public" || mode === "mixed") {
    lines.push("Visitors may read without logging in.");
  }
  if (mode === "single-user" || mode === "public") {
    const powers = powersOf(mode, writable);
    lines.push(
      generatedKey === null
        ? `The configured API key ${powers}.`
        : `The key in this address ${powers}. It was made for this start and ends with it; ` +
            "--api-key or TILED_SINGLE_USER_API_KEY sets a permanent one.",
    );
    return lines;
  }
  if (!durable) {
    lines.push("No database is configured: logins, sessions and API keys end with this process.");
  }
  if (!secretKeysConfigured) {
    lines.push(
      "No authentication.secret_keys are configured: access and refresh tokens end with this process.",
    );
  }
  return lines;
}

/** Trees that are served here are read-only; a server behind this one may not be. */
function powersOf(mode: AccessMode, writable: boolean): string {
  if (writable) return mode === "public" ? "also allows writing" : "allows reading and writing";
  return mode === "public" ? "has every permission, though the trees are read-only" : "allows reading";
}
