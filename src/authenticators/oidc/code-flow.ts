/**
 * The authorization code flow with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 9207) by openid-client: the way to the
 * provider, the browser's return and the exchange of the code. The id_token is not shown to openid-client, which trusts
 * TLS for its signature: `id-token.ts` checks all of it.
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
import { grantFailure } from "./refusals.ts";

interface CodeFlowParts {
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
      // As openid-client writes it in the grant.
      redirect_uri: new URL(request.redirectUri).href,
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
    const { client } = this.#parts;
    const { searchParams: query } = response.callback;
    const issuer = query.get("iss") || null;
    const secrets = [response.codeVerifier, response.state, response.nonce, ...query.getAll("code")];
    if (client.secret !== null) secrets.push(client.secret.reveal());
    const methods = clientAuthentication(client, metadata.authMethods);
    for (const [index, method] of methods.entries()) {
      // Without discovery the issuer is the one that the return names: the id_token must be of it.
      const configuration = this.#configuration({ ...metadata, issuer: metadata.issuer ?? issuer }, method);
      const answer = this.#tokenEndpoint(configuration, signal);
      try {
        const accessToken = await grant(configuration, response);
        return { idToken: idTokenOf(answer), accessToken, issuer };
      } catch (error) {
        const unknown = error instanceof ResponseBodyError && error.error === "invalid_client";
        if (!unknown || index === methods.length - 1) throw grantFailure(error, answer.asked, secrets);
      }
    }
    throw new Error("There is a way to authenticate.");
  }

  /** Calls the token endpoint as all of a provider is called, and keeps the id_token from openid-client. */
  #tokenEndpoint(configuration: Configuration, signal: AbortSignal): TokenAnswer {
    const answer: TokenAnswer = { asked: false, idToken: undefined };
    configuration[customFetch] = async (url, { method, headers, body }) => {
      if (method !== "POST" || !(body instanceof URLSearchParams)) throw new Error("A grant is a form.");
      answer.asked = true;
      const { status, body: said } = await this.#parts.calls.json(
        {
          url,
          what: "The provider's token endpoint",
          setting: this.#parts.setting,
          method,
          headers,
          body,
          explained: [400, 401, 403],
        },
        signal,
      );
      const { id_token, access_token, token_type, error, error_description } = said;
      if (status !== 200) return Response.json({ error, error_description }, { status });
      answer.idToken = id_token;
      return Response.json({ access_token, token_type });
    };
    return answer;
  }

  #configuration(metadata: Metadata, method: ClientAuth): Configuration {
    const configuration = new Configuration(
      {
        // Where nothing names an issuer, nothing is compared with this one.
        issuer: metadata.issuer ?? new URL(metadata.tokenEndpoint).origin,
        authorization_endpoint: metadata.authorizationEndpoint,
        token_endpoint: metadata.tokenEndpoint,
        authorization_response_iss_parameter_supported: metadata.announcesIssuer,
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

/** What the token endpoint said beside what openid-client reads. */
interface TokenAnswer {
  asked: boolean;
  idToken: unknown;
}

/** The access token. openid-client checks the return's `state`, `iss` and `error`, and takes its `code`. */
async function grant(
  configuration: Configuration,
  { redirectUri, callback, codeVerifier, state }: AuthorizationResponse,
): Promise<string> {
  // A proxy may have changed the address of the return; its query is as the provider wrote it.
  const returned = new URL(redirectUri);
  returned.search = callback.search;
  const { access_token: accessToken } = await authorizationCodeGrant(configuration, returned, {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
  });
  return accessToken;
}

function idTokenOf({ idToken }: TokenAnswer): string {
  if (typeof idToken === "string" && idToken !== "") return idToken;
  throw new Failure("provider_invalid", {
    log: "The provider's token endpoint gave no id_token: does it support OpenID Connect for this client?",
  });
}
