/**
 * Browser logins at an OpenID Connect provider (`tiled.authenticators:OIDCAuthenticator`): ORCID, Google,
 * Keycloak and others. The arguments come in two generations: `well_known_uri`, or the endpoints and keys themselves.
 * The protocol is in the other files of this room.
 */
import type { JWK } from "jose";
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  AuthorizationRequest,
  AuthorizationResponse,
  ExternalAuthenticator,
} from "../../domain/ports/authenticator.ts";
import { OperatorError } from "../../errors.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { OIDC_ARGS, type OidcArgs } from "./args.ts";
import { Browser } from "./browser.ts";
import { Calls } from "./calls.ts";
import { FixedKeys } from "./keys.ts";
import { OIDC_DEFAULTS, type OidcOptions } from "./options.ts";
import { identify, type PersonRules, scopesFor } from "./person.ts";
import { DiscoveredProvider, FixedProvider, type OidcProvider } from "./provider.ts";
import { configuredUrl, isLoopback } from "./urls.ts";

export class OIDCAuthenticator implements ExternalAuthenticator {
  static readonly args = OIDC_ARGS;
  readonly kind = "external";
  /** `sub` is case-sensitive (OpenID Connect Core, section 2). Other claims are names, often known in one spelling only. */
  readonly caseSensitive: boolean;
  readonly namesAddresses: boolean;
  readonly confirmationMessage: string;
  readonly redirectOnSuccess: string | null;
  readonly redirectOnFailure: string | null;
  readonly tokensInRedirect: boolean;
  readonly #provider: OidcProvider;
  readonly #browser: Browser;
  readonly #person: PersonRules;

  constructor(args: OidcArgs, context: AuthenticatorContext, given: Partial<OidcOptions> = {}) {
    const options = { ...OIDC_DEFAULTS, ...given };
    const { clock, fetch, deadline } = options;
    const source = sourceOf(args);
    const loopback = isLoopback(source.kind === "discovered" ? source.url : source.token);
    const calls = new Calls({ fetch, deadline, loopback });
    this.#provider =
      source.kind === "discovered"
        ? new DiscoveredProvider({
            url: source.url,
            clientId: args.client_id,
            calls,
            loopback,
            clock,
            schedule: options.schedule,
            warn: context.warn,
          })
        : fixedProvider(source);
    this.#person = {
      claim: args.user_id_claim ?? "sub",
      users: args.allowed_users ?? null,
      domains: args.allowed_domains ?? null,
      keep: context.keepClaims ?? [],
    };
    this.caseSensitive = this.#person.claim === "sub";
    this.namesAddresses = this.#person.claim === "email";
    const audience = args.audience ?? args.client_id;
    if (audience !== args.client_id) {
      context.warn(
        "args.audience differs from args.client_id. The audience of an id_token is its client, so client_id is what counts; " +
          "a token for this audience is accepted only if it names our client as well (azp). audience can be left out.",
      );
    }
    this.#browser = new Browser(
      args,
      {
        provider: this.#provider,
        calls,
        rules: { clientId: args.client_id, audience, clock },
        scopes: [...(args.scopes ?? []), ...scopesFor(this.#person)],
        setting: source.kind === "discovered" ? "args.well_known_uri" : "args.token_uri",
      },
      context,
    );
    this.confirmationMessage = args.confirmation_message ?? "";
    this.redirectOnSuccess = this.#browser.redirectOnSuccess;
    this.redirectOnFailure = this.#browser.redirectOnFailure;
    this.tokensInRedirect = this.#browser.tokensInRedirect;
  }

  begin(request: AuthorizationRequest): Promise<URL> {
    return this.#browser.begin(request);
  }

  async finish(response: AuthorizationResponse): Promise<AuthenticatedIdentity> {
    return identify(await this.#browser.finish(response), this.#person);
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
}

/** The source of endpoints and keys: discovery, or the first generation of arguments. */
type Source =
  | { readonly kind: "discovered"; readonly url: URL }
  | {
      readonly kind: "configured";
      readonly token: URL;
      readonly authorization: URL;
      readonly keys: readonly JWK[];
    };

function sourceOf(args: OidcArgs): Source {
  const { well_known_uri: wellKnown, token_uri: token, authorization_endpoint: authorization } = args;
  const { public_keys: keys } = args;
  const configured = { token_uri: token, authorization_endpoint: authorization, public_keys: keys };
  const given = Object.entries(configured).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (wellKnown !== undefined) {
    if (given.length > 0) {
      throw new OperatorError(
        `args.well_known_uri has the endpoints and keys of the provider: remove ${given.join(", ")}.`,
      );
    }
    return { kind: "discovered", url: configuredUrl("well_known_uri", wellKnown) };
  }
  if (token === undefined || authorization === undefined || keys === undefined) {
    throw new OperatorError(
      "args.well_known_uri is missing: the address of the provider's discovery document. " +
        "(Without it, token_uri, authorization_endpoint and public_keys are all needed.)",
    );
  }
  return {
    kind: "configured",
    token: configuredUrl("token_uri", token),
    authorization: configuredUrl("authorization_endpoint", authorization),
    keys: keys.map(publicKey),
  };
}

function publicKey(key: JWK, index: number): JWK {
  if (key.kty === "oct" || key.d !== undefined || key.k !== undefined) {
    throw new OperatorError(
      `args.public_keys[${index}] is a secret key. Use the provider's public key, and replace the secret one, since it was in this file.`,
    );
  }
  return key;
}

function fixedProvider(source: Extract<Source, { kind: "configured" }>): OidcProvider {
  return new FixedProvider({
    metadata: {
      issuer: null,
      authorizationEndpoint: source.authorization.href,
      tokenEndpoint: source.token.href,
      jwksUri: null,
      deviceAuthorizationEndpoint: null,
      endSessionEndpoint: null,
      algorithms: ALGORITHMS,
      authMethods: null,
      announcesIssuer: false,
    },
    keys: new FixedKeys(source.keys),
  });
}
