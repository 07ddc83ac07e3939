/**
 * The authorization code flow with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 9207): the way to the provider, the
 * browser's return and the exchange of the code. What the id_token must say is `id-token.ts`'s.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  None,
  ResponseBodyError,
} from "openid-client";
import type { AuthorizationRequest, AuthorizationResponse } from "../../domain/ports/authenticator.ts";
import { Failure } from "../../errors.ts";
import type { Calls } from "./calls.ts";
import { type Client, clientAuthentication } from "./client.ts";
import type { Metadata } from "./metadata.ts";
import { grantFailure, providerError } from "./refusals.ts";
import { quoted } from "./signature.ts";

export interface CodeFlowParts {
  readonly client: Client;
  readonly scopes: readonly string[];
  readonly prompt: string | null;
  readonly calls: Calls;
  /** Where the endpoints are configured, for the operator. */
  readonly setting: string;
}

/** What the code was exchanged for; nothing of it is kept. */
export interface Exchanged {
  readonly idToken: string;
  readonly accessToken: string;
  /** The `iss` of the browser's return. */
  readonly issuer: string | null;
}

export class CodeFlow {
  readonly #parts: CodeFlowParts;

  constructor(parts: CodeFlowParts) {
    this.#parts = parts;
  }

  async authorizationUrl(metadata: Metadata, request: AuthorizationRequest): Promise<URL> {
    const { scopes, prompt } = this.#parts;
    const parameters = {
      redirect_uri: request.redirectUri,
      scope: scopes.join(" "),
      state: request.state,
      nonce: request.nonce,
      code_challenge: await calculatePKCECodeChallenge(request.codeVerifier),
      code_challenge_method: "S256",
      client_id: this.#parts.client.id,
      response_type: "code",
      ...(prompt === null ? {} : { prompt }),
    };
    const url = buildAuthorizationUrl(this.#configuration(metadata, None()), parameters);
    // An endpoint keeps a query of its own, but no parameter may be there twice.
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }

  async exchange(
    metadata: Metadata,
    response: AuthorizationResponse,
    signal: AbortSignal,
  ): Promise<Exchanged> {
    const secrets = [response.codeVerifier, response.state, response.nonce];
    const { code, issuer } = readCallback(metadata, response, secrets);
    secrets.push(code);
    // Only what was checked: openid-client reads more of a callback than there is to read here.
    const callback = new URL(response.redirectUri);
    callback.search = new URLSearchParams({ code, state: response.state }).toString();
    const { client } = this.#parts;
    if (client.secret !== null) secrets.push(client.secret.reveal());
    const methods = clientAuthentication(client, metadata.authMethods);
    for (const [index, method] of methods.entries()) {
      try {
        return { ...(await this.#grant(metadata, method, { ...response, callback }, signal)), issuer };
      } catch (error) {
        const unknown = error instanceof ResponseBodyError && error.error === "invalid_client";
        if (!unknown || index === methods.length - 1) throw grantFailure(error, secrets);
      }
    }
    throw new Failure("bad_gateway", {
      log: `The provider takes a client's secret by none of our ways, only by ${quoted(metadata.authMethods)}.`,
    });
  }

  async #grant(
    metadata: Metadata,
    method: ClientAuth,
    response: AuthorizationResponse,
    signal: AbortSignal,
  ): Promise<Omit<Exchanged, "issuer">> {
    const configuration = this.#configuration(metadata, method);
    let idToken: unknown;
    configuration[customFetch] = async (url, { method: verb, headers, body }) => {
      if (verb !== "POST" || !(body instanceof URLSearchParams)) throw new Error("A grant is a form.");
      // openid-client takes it from the callback's address, which a proxy may have changed.
      body.set("redirect_uri", response.redirectUri);
      const answer = await this.#parts.calls.json(
        {
          url,
          what: "The provider's token endpoint",
          setting: this.#parts.setting,
          method: verb,
          headers,
          body,
          explained: [400, 401, 403],
        },
        signal,
      );
      const { id_token, access_token, token_type, error, error_description } = answer.body;
      if (answer.status !== 200)
        return Response.json({ error, error_description }, { status: answer.status });
      // Its signature is checked with the rest of it elsewhere: openid-client checks a part, and trusts TLS for that.
      idToken = id_token;
      return Response.json({ access_token, token_type });
    };
    const { access_token: accessToken } = await authorizationCodeGrant(configuration, response.callback, {
      pkceCodeVerifier: response.codeVerifier,
      expectedState: response.state,
    });
    if (typeof idToken !== "string" || idToken === "") {
      throw new Failure("provider_invalid", {
        log: "The provider's token endpoint gave no id_token: does it support OpenID Connect for this client?",
      });
    }
    return { idToken, accessToken };
  }

  #configuration(metadata: Metadata, method: ClientAuth): Configuration {
    const configuration = new Configuration(
      {
        // Where the configuration names the endpoints itself there is none; nothing is compared with this one.
        issuer: metadata.issuer ?? new URL(metadata.tokenEndpoint).origin,
        authorization_endpoint: metadata.authorizationEndpoint,
        token_endpoint: metadata.tokenEndpoint,
      },
      this.#parts.client.id,
      undefined,
      method,
    );
    // Which URLs may be called is decided in `calls.ts`, for all of them.
    allowInsecureRequests(configuration);
    return configuration;
  }
}

/** The query that the provider sent the browser back with. */
function readCallback(
  { issuer, announcesIssuer }: Metadata,
  { callback, state }: AuthorizationResponse,
  secrets: readonly string[],
): { readonly code: string; readonly issuer: string | null } {
  const where = "The browser's return from the provider";
  const invalid = (why: string) => new Failure("provider_invalid", { log: `${where} ${why}.` });
  const one = (name: string): string | null => {
    const values = callback.searchParams.getAll(name);
    if (values.length > 1) throw invalid(`has '${name}' more than once`);
    return values[0] || null;
  };
  if (one("state") !== state) throw invalid("has another 'state' than it was sent with");
  const said = one("iss");
  if (said === null && announcesIssuer) {
    throw invalid("has no 'iss', although the provider announces it (RFC 9207)");
  }
  if (said !== null && issuer !== null && said !== issuer) {
    throw invalid(`is from the issuer ${quoted(said)}, not from ${quoted(issuer)} (RFC 9207, a mix-up)`);
  }
  const error = one("error");
  if (error !== null)
    throw providerError("The provider", error, one("error_description") ?? undefined, secrets);
  const code = one("code");
  if (code === null) throw invalid("has no 'code'");
  return { code, issuer: said };
}
