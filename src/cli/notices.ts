/**
 * What a server tells the person who started it, on stdout: where to go, who may do what, and what ends with the process.
 */
import type { Secret } from "../lib/secrets.ts";
import type { AccessMode } from "../pages/landing.ts";

export interface StartFacts {
  /** As it listens, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly publicUrl: string | null;
  readonly accountUrl: string | null;
  readonly mode: AccessMode;
  /** Whether anything that is served can be written to. */
  readonly writable: boolean;
  /** The single-user key where it was made for this start; a configured one is never printed. */
  readonly generatedKey: Secret | null;
  /** Whether the database outlives the process. */
  readonly durable: boolean;
  readonly secretKeysConfigured: boolean;
  readonly identityProviders: readonly string[];
}

export function startNotice(facts: StartFacts): string {
  const query = facts.generatedKey === null ? "" : `?api_key=${facts.generatedKey.reveal()}`;
  const addresses = [facts.url, ...(facts.publicUrl === null ? [] : [facts.publicUrl])];
  return [
    "Tiled is ready. Open this address in a browser, or connect a Tiled client to it:",
    "",
    ...addresses.map((address) => `    ${address}${query}`),
    "",
    ...remarks(facts),
    ...redirectNotice(facts.accountUrl ?? facts.publicUrl ?? facts.url, facts.identityProviders),
  ].join("\n");
}

/** `base`: as browsers reach this server. Providers send them back to addresses that they know letter by letter. */
export function redirectNotice(base: string, providers: readonly string[]): string[] {
  if (providers.length === 0) return [];
  const root = base.replace(/\/$/, "");
  return [
    "Redirect URIs to register at the providers:",
    ...providers.flatMap((provider) =>
      ["code", "device_code"].map((end) => `    ${root}/api/v1/auth/provider/${provider}/${end}`),
    ),
  ];
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
            "--api-key or TILED_SINGLE_USER_API_KEY sets one that stays.",
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

/** What is served here is read-only; what stands behind this server may not be. */
function powersOf(mode: AccessMode, writable: boolean): string {
  if (writable) return mode === "public" ? "also allows writing" : "allows reading and writing";
  return mode === "public" ? "has every permission, though the trees are read-only" : "allows reading";
}
