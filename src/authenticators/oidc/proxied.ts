/**
 * A provider whose access tokens are credentials here: clients log in and refresh there. The identity and scopes of a token are
 * cached until it expires or the provider's keys change, since every request brings the token.
 */

import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  AuthorizationRequest,
  AuthorizationResponse,
  ProxiedAuthenticator,
  ProxiedIdentity,
  ProxiedLinks,
} from "../../domain/ports/authenticator.ts";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type AccessTokenRules, verifyAccessToken } from "./access-token.ts";
import { Browser, type BrowserArgs } from "./browser.ts";
import { Calls } from "./calls.ts";
import type { Keys } from "./keys.ts";
import { OIDC_DEFAULTS, type OidcOptions } from "./options.ts";
import { DiscoveredProvider, type KnownProvider } from "./provider.ts";
import { LEEWAY } from "./signature.ts";
import { TokenScopes } from "./token-scopes.ts";
import { configuredUrl, isLoopback } from "./urls.ts";

const REMEMBERED_TOKENS = 4096;

/** The common arguments of both classes. */
interface ProxiedCommonArgs extends BrowserArgs {
  readonly audience: string;
  readonly well_known_uri: string;
  readonly device_flow_client_id: string;
  readonly confirmation_message?: string | undefined;
  readonly allowed_clients?: readonly string[] | null | undefined;
  readonly scopes_map?: Readonly<Record<string, readonly string[]>> | null | undefined;
  readonly scopes?: readonly string[] | null | undefined;
}

interface ProxiedParts {
  readonly identify: (claims: Readonly<Record<string, unknown>>) => AuthenticatedIdentity;
  /** A browser login requests these in addition to `openid`. */
  readonly browserScopes: readonly string[];
  readonly caseSensitive: boolean;
  readonly namesAddresses?: boolean;
  /** The client requests these in addition to its own. */
  readonly extraScopes: readonly string[];
}

export class Proxied implements ProxiedAuthenticator {
  readonly kind = "proxied";
  readonly caseSensitive: boolean;
  readonly namesAddresses: boolean;
  readonly confirmationMessage: string;
  readonly redirectOnSuccess: string | null;
  readonly redirectOnFailure: string | null;
  readonly tokensInRedirect: boolean;
  readonly #parts: ProxiedParts;
  readonly #deviceClient: string;
  readonly #scopes: TokenScopes;
  readonly #rules: AccessTokenRules;
  readonly #clock: Clock;
  readonly #calls: Calls;
  readonly #provider: DiscoveredProvider;
  readonly #browser: Browser;
  readonly #verified = new Map<string, ProxiedIdentity>();
  /** The keys that verified the cached tokens. */
  #keys: Keys | null = null;
  #generation = 0;

  constructor(
    args: ProxiedCommonArgs,
    parts: ProxiedParts,
    context: AuthenticatorContext,
    given: Partial<OidcOptions>,
  ) {
    const { clock, fetch, deadline, schedule } = { ...OIDC_DEFAULTS, ...given };
    const url = configuredUrl("well_known_uri", args.well_known_uri);
    const loopback = isLoopback(url);
    this.#parts = parts;
    this.caseSensitive = parts.caseSensitive;
    this.namesAddresses = parts.namesAddresses ?? false;
    this.#clock = clock;
    this.#deviceClient = args.device_flow_client_id;
    this.#scopes = new TokenScopes(args.scopes_map ?? null, args.scopes ?? null);
    this.#rules = {
      audience: args.audience,
      clients: new Set([args.client_id, args.device_flow_client_id, ...(args.allowed_clients ?? [])]),
      clock,
    };
    this.#calls = new Calls({ fetch, deadline, loopback });
    this.#provider = new DiscoveredProvider({
      url,
      clientId: args.client_id,
      calls: this.#calls,
      loopback,
      clock,
      schedule,
      warn: context.warn,
      needs: ({ deviceAuthorizationEndpoint }) =>
        deviceAuthorizationEndpoint === null
          ? "has no device_authorization_endpoint, which clients need to log in"
          : null,
    });
    this.#browser = new Browser(
      args,
      {
        provider: this.#provider,
        calls: this.#calls,
        rules: { clientId: args.client_id, audience: args.audience, clock },
        scopes: parts.browserScopes,
        setting: "args.well_known_uri",
      },
      context,
    );
    this.confirmationMessage = args.confirmation_message ?? "";
    this.redirectOnSuccess = this.#browser.redirectOnSuccess;
    this.redirectOnFailure = this.#browser.redirectOnFailure;
    this.tokensInRedirect = this.#browser.tokensInRedirect;
  }

  links(): ProxiedLinks | null {
    const metadata = this.#provider.known?.metadata;
    if (metadata === undefined || metadata.deviceAuthorizationEndpoint === null) return null;
    return {
      deviceAuthorizationEndpoint: metadata.deviceAuthorizationEndpoint,
      tokenEndpoint: metadata.tokenEndpoint,
      endSessionEndpoint: metadata.endSessionEndpoint,
      clientId: this.#deviceClient,
      extraScopes: this.#parts.extraScopes,
    };
  }

  verify(token: string): ProxiedIdentity | Promise<ProxiedIdentity> {
    const provider = this.#provider.known;
    if (provider !== null) {
      provider.keys.renew();
      this.#forgetOld(provider);
    }
    const known = this.#verified.get(token);
    if (known === undefined) return this.#verify(token);
    if (known.expires + LEEWAY <= this.#clock.now() / 1000) {
      this.#verified.delete(token);
      throw new Failure("expired_token");
    }
    return known;
  }

  begin(request: AuthorizationRequest): Promise<URL> {
    return this.#browser.begin(request);
  }

  async finish(response: AuthorizationResponse): Promise<AuthenticatedIdentity> {
    return this.#parts.identify(await this.#browser.finish(response));
  }

  problem(): string | null {
    return this.#provider.problem();
  }

  start(): Promise<void> {
    return this.#browser.start();
  }

  async stop(): Promise<void> {
    this.#provider.stop();
  }

  async #verify(token: string): Promise<ProxiedIdentity> {
    const signal = this.#calls.deadline();
    const provider = await this.#provider.get(signal);
    const { generation } = provider.keys;
    const claims = await verifyAccessToken(token, provider, this.#rules, signal);
    const identity = { ...this.#person(claims), scopes: this.#scopes.of(claims), expires: claims.exp };
    this.#forgetOld(provider);
    if (this.#verified.size >= REMEMBERED_TOKENS) {
      const [oldest] = this.#verified.keys();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    if (generation === provider.keys.generation) this.#verified.set(token, identity);
    return identity;
  }

  #person(claims: Readonly<Record<string, unknown>>): AuthenticatedIdentity {
    try {
      return this.#parts.identify(claims);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure("invalid_token", { log: error.message, cause: error });
    }
  }

  /** A token must not be valid for longer than its key. */
  #forgetOld({ keys }: KnownProvider): void {
    if (keys === this.#keys && keys.generation === this.#generation) return;
    this.#keys = keys;
    this.#generation = keys.generation;
    this.#verified.clear();
  }
}
