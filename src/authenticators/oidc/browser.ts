/**
 * A browser login, from our redirect to the checked claims of the id_token, for all OpenID Connect authenticators. Each finds
 * the user in the claims itself.
 */
import type { JWTPayload } from "jose";
import type {
  AuthenticatorContext,
  AuthorizationRequest,
  AuthorizationResponse,
} from "../../domain/ports/authenticator.ts";
import { Secret } from "../../lib/secrets.ts";
import type { Calls } from "./calls.ts";
import type { AuthMethod } from "./client.ts";
import { CodeFlow } from "./code-flow.ts";
import { type IdTokenRules, verifyIdToken } from "./id-token.ts";
import type { OidcProvider } from "./provider.ts";
import { applicationUrl } from "./urls.ts";

/** The common arguments. */
export interface BrowserArgs {
  readonly client_id: string;
  readonly client_secret?: string | null | undefined;
  readonly token_endpoint_auth_method?: AuthMethod | undefined;
  readonly prompt?: string | undefined;
  readonly redirect_on_success?: string | null | undefined;
  readonly redirect_on_failure?: string | null | undefined;
  readonly tokens_in_redirect?: boolean | undefined;
}

interface BrowserParts {
  readonly provider: OidcProvider;
  readonly calls: Calls;
  readonly rules: IdTokenRules;
  /** Requested in addition to `openid`. */
  readonly scopes: readonly string[];
  readonly setting: string;
}

export class Browser {
  readonly redirectOnSuccess: string | null;
  readonly redirectOnFailure: string | null;
  readonly tokensInRedirect: boolean;
  readonly #parts: BrowserParts;
  readonly #flow: CodeFlow;

  constructor(args: BrowserArgs, parts: BrowserParts, context: AuthenticatorContext) {
    this.redirectOnSuccess = applicationUrl("redirect_on_success", args.redirect_on_success);
    this.redirectOnFailure = applicationUrl("redirect_on_failure", args.redirect_on_failure);
    this.tokensInRedirect = args.tokens_in_redirect ?? false;
    this.#parts = parts;
    if (this.tokensInRedirect) {
      context.warn(
        "args.tokens_in_redirect: the address of redirect_on_success contains the tokens, which logs, browser histories and " +
          "other sites can see. Exchange the one-time code instead, and switch this off.",
      );
    } else if (isTiledsOwn(this.redirectOnSuccess)) {
      context.warn(
        `args.redirect_on_success (${this.redirectOnSuccess}) is a page of Tiled's web interface, which reads the tokens ` +
          "from its address and does not know the one-time code: it needs args.tokens_in_redirect: true.",
      );
    }
    this.#flow = new CodeFlow({
      client: {
        id: args.client_id,
        secret: args.client_secret ? new Secret(args.client_secret) : null,
        method: args.token_endpoint_auth_method ?? null,
      },
      scopes: [...new Set(["openid", ...parts.scopes])],
      prompt: args.prompt ?? null,
      calls: parts.calls,
      setting: parts.setting,
    });
  }

  async begin(request: AuthorizationRequest): Promise<URL> {
    const { provider, calls } = this.#parts;
    const { metadata } = await provider.get(calls.deadline());
    return this.#flow.authorizationUrl(metadata, request);
  }

  /** The claims of the id_token. */
  async finish(response: AuthorizationResponse): Promise<JWTPayload> {
    const { provider, calls, rules } = this.#parts;
    const signal = calls.deadline();
    const known = await provider.get(signal);
    const { idToken, accessToken, issuer } = await this.#flow.exchange(known.metadata, response, signal);
    return verifyIdToken(idToken, { nonce: response.nonce, accessToken, issuer }, known, rules, signal);
  }

  start(): Promise<void> {
    return this.#parts.provider.start();
  }
}

/** The address in Tiled's documentation. */
function isTiledsOwn(url: string | null): boolean {
  return url !== null && /\/ui\/auth-callback\/?$/.test(new URL(url).pathname);
}
