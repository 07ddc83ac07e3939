/**
 * A real OpenID Connect provider (`oidc-provider`) in the test's process, on a free port, in flavours shaped like known
 * ones. People log in by a form, or are logged in already; they are asked for consent where a test wants it.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt, decodeProtectedHeader, exportJWK, SignJWT } from "jose";
import Provider, { type Interaction, type KoaContextWithOIDC } from "oidc-provider";
import { html } from "../../src/lib/html.ts";
import type { Cleanup } from "./folders.ts";
import { type Account, ADA, GRACE, interact } from "./oidc-provider-pages.ts";
import { memoryAdapters } from "./oidc-provider-store.ts";
import { type SigningKey, signingKey } from "./signing-key.ts";

type Flavour = "plain" | "orcid" | "google";

interface ProviderClient {
  readonly id: string;
  /** Without one it is a public client. */
  readonly secret?: string;
  readonly redirectUris: readonly string[];
}

export interface ProviderOptions {
  readonly flavour?: Flavour;
  readonly clients: readonly ProviderClient[];
  readonly accounts?: readonly Account[];
  /** The subject of an account that is logged in already: no form is shown. */
  readonly loggedInAs?: string;
  /** Whether a person is asked whether the client may know them. */
  readonly consent?: boolean;
  readonly alg?: "RS256" | "ES256";
  /** As browsers write it: `127.0.0.1` or `localhost`. */
  readonly host?: string;
  /** Access tokens are JWTs for this audience, with what is asked for of these scopes: for the proxied mode. */
  readonly resource?: { readonly audience: string; readonly scopes: readonly string[] };
  /** Accepts a client's secret in the header and the body at once, which the real Tiled sends. Only the body counts. */
  readonly secretTwice?: boolean;
}

export interface RealProvider {
  /** The issuer, without a slash at its end. */
  readonly url: string;
  readonly wellKnown: string;
  /** The public key, as the first generation of arguments names it. */
  readonly key: SigningKey;
  stop(): Promise<void>;
}

interface GrantTypes {
  grantTypeAllowed(grant: string): boolean;
}

interface Shape {
  readonly scopes: readonly string[];
  readonly authMethods: readonly string[];
  readonly defaultAlg: "RS256" | "ES256";
}

const SHAPES: Readonly<Record<Flavour, Shape>> = {
  plain: {
    scopes: ["openid", "offline_access", "profile", "email"],
    authMethods: ["client_secret_basic", "client_secret_post", "none"],
    defaultAlg: "ES256",
  },
  orcid: { scopes: ["openid"], authMethods: ["client_secret_post"], defaultAlg: "RS256" },
  google: {
    scopes: ["openid", "profile", "email"],
    authMethods: ["client_secret_post", "client_secret_basic"],
    defaultAlg: "RS256",
  },
};

export async function startProvider(cleanup: Cleanup, options: ProviderOptions): Promise<RealProvider> {
  const { flavour = "plain", host = "127.0.0.1" } = options;
  const shape = SHAPES[flavour];
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  const key = await signingKey(options.alg ?? shape.defaultAlg, "real");
  const provider = new Provider(url, await configuration(options, shape, key));
  if (flavour === "google") provider.use(refuseUnknownScopes(shape.scopes));
  if (flavour === "orcid") provider.use(addAccessTokenHash(key));
  provider.use(addPollingInterval);
  const people = {
    accounts: options.accounts ?? [ADA, GRACE],
    loggedInAs: options.loggedInAs ?? null,
    consent: options.consent ?? false,
  };
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (options.secretTwice && request.url === "/token") delete request.headers.authorization;
    const answered = request.url?.startsWith("/interaction/")
      ? interact(provider, people, request, response)
      : answer(request, response);
    answered.catch((error: unknown) => {
      response.writeHead(500, { "content-type": "text/plain" }).end(String(error));
    });
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= close(server);
    return stopped;
  };
  cleanup(stop);
  return { url, wellKnown: `${url}/.well-known/openid-configuration`, key, stop };
}

async function configuration(
  { clients, accounts = [ADA, GRACE], resource }: ProviderOptions,
  { scopes, authMethods }: Shape,
  key: SigningKey,
): Promise<Record<string, unknown>> {
  const [method] = authMethods;
  const resourceServer = resource && {
    audience: resource.audience,
    scope: resource.scopes.join(" "),
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: key.alg } },
  };
  return {
    adapter: memoryAdapters(),
    jwks: { keys: [{ ...(await exportJWK(key.privateKey)), kid: key.kid, alg: key.alg, use: "sig" }] },
    cookies: { keys: ["of-tests-only"] },
    clients: clients.map(({ id, secret, redirectUris }) => ({
      client_id: id,
      ...(secret === undefined ? {} : { client_secret: secret }),
      redirect_uris: redirectUris,
      token_endpoint_auth_method: secret === undefined ? "none" : method,
      id_token_signed_response_alg: key.alg,
      grant_types: [
        ...(redirectUris.length > 0 ? ["authorization_code"] : []),
        ...(scopes.includes("offline_access") ? ["refresh_token"] : []),
        "urn:ietf:params:oauth:grant-type:device_code",
      ],
      response_types: redirectUris.length > 0 ? ["code"] : [],
    })),
    scopes,
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username"],
    },
    // As ORCID, Google and Keycloak do: what a scope stands for is in the id_token.
    conformIdTokenClaims: false,
    clientAuthMethods: authMethods,
    enabledJWA: { idTokenSigningAlgValues: [key.alg] },
    pkce: { required: () => false },
    findAccount: (_context: unknown, id: string) => {
      const account = accounts.find((one) => one.id === id);
      return account && { accountId: id, claims: () => ({ ...account.claims, sub: id }) };
    },
    interactions: { url: (_context: unknown, { uid }: Interaction) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, successSource: showDeviceSuccess },
      ...(resourceServer && {
        resourceIndicators: {
          enabled: true,
          defaultResource: () => resource?.audience,
          useGrantedResource: () => true,
          getResourceServerInfo: (_context: unknown, indicator: string) => ({
            ...resourceServer,
            audience: indicator,
          }),
        },
      }),
    },
    // Without it a refresh token needs prompt=consent, which the Python client does not send.
    ...(resource && {
      issueRefreshToken: (_context: unknown, client: GrantTypes) => client.grantTypeAllowed("refresh_token"),
    }),
    renderError: showError,
    ttl: {
      AccessToken: 300,
      AuthorizationCode: 60,
      DeviceCode: 600,
      IdToken: 300,
      Interaction: 600,
      Session: 3600,
      Grant: 3600,
    },
  };
}

function showError(context: KoaContextWithOIDC, out: Readonly<Record<string, string>>): void {
  context.type = "text/html";
  context.body = html`<h1>Error: ${out["error"]}</h1><p>${out["error_description"]}</p>`.text;
}

function showDeviceSuccess(context: KoaContextWithOIDC): void {
  context.body = "<h1>Logged in. Close this page.</h1>";
}

/** Google shows a page of its own and never sends the browser back. */
function refuseUnknownScopes(known: readonly string[]) {
  return async (context: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const asked = String(context.query["scope"] ?? "").split(" ");
    const unknown = context.path === "/auth" ? asked.filter((scope) => !known.includes(scope)) : [];
    if (unknown.length === 0) return next();
    context.status = 400;
    context.type = "text/html";
    context.body = html`<h1>Error 400: invalid_scope</h1><p>${unknown.join(" ")}</p>`.text;
  };
}

/** Without one a program asks every five seconds (RFC 8628, section 3.2); the Python client needs to be told. */
async function addPollingInterval(context: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  if (context.path === "/device/auth" && context.status === 200) {
    context.body = { ...Object(context.body), interval: 1 };
  }
}

/** ORCID's id_tokens have an at_hash in the code flow, too. */
function addAccessTokenHash({ privateKey }: SigningKey) {
  return async (context: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { id_token: idToken, access_token: accessToken } = Object(context.body) as Record<string, unknown>;
    if (context.path !== "/token" || typeof idToken !== "string") return;
    const digest = createHash("sha256").update(String(accessToken)).digest();
    const { alg = "", ...header } = decodeProtectedHeader(idToken);
    const claims = { ...decodeJwt(idToken), at_hash: digest.subarray(0, 16).toString("base64url") };
    const signed = await new SignJWT(claims).setProtectedHeader({ ...header, alg }).sign(privateKey);
    context.body = { ...Object(context.body), id_token: signed };
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}
