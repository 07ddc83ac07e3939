/**
 * An OpenID Connect provider for tests, on this machine: honest until it is told to misbehave. What it can do wrong is
 * in `misbehaviours.ts`; each is switched on by name. A real, honest one is in `oidc-provider.ts`.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type JWK, type JWTPayload, SignJWT } from "jose";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { MOVED } from "./breaks.ts";
import type { Cleanup } from "./folders.ts";
import type { Endpoint, Misbehaviour } from "./misbehaviour.ts";
import { MISBEHAVIOURS, type MisbehaviourName } from "./misbehaviours.ts";
import { type SigningKey, signingKey } from "./signing-key.ts";

export const CLIENT_ID = "tiled";
/** Has what a form must encode. */
export const CLIENT_SECRET = "s+e c:r%e/t";
export const SUBJECT = "0000-0002-1825-0097";

const PATHS: Readonly<Record<Endpoint, string>> = {
  discovery: "/.well-known/openid-configuration",
  keys: "/keys",
  authorize: "/authorize",
  token: "/token",
};

interface Grant {
  readonly nonce: string | null;
  readonly challenge: string | null;
  readonly redirectUri: string | null;
}

export interface HostileOptions {
  readonly clock?: Clock;
  readonly alg?: string;
  /** Whether a client may leave PKCE out, as the reference does. */
  readonly pkce?: "required" | "optional";
}

export class HostileProvider {
  /** The issuer, without a slash at its end. */
  readonly url: string;
  readonly clock: Clock;
  /** What the key set endpoint hands out. */
  published: JWK[];
  /** What tokens are signed with. */
  key: SigningKey;
  /** Laid over the discovery document; undefined takes a member out. */
  readonly document: Record<string, unknown> = {};
  /** Laid over the claims of an honest id_token. */
  readonly claims: Record<string, unknown> = {};
  /** How often each endpoint was asked. */
  readonly asked: Record<Endpoint, number> = { discovery: 0, keys: 0, authorize: 0, token: 0 };
  /** Of the last request to the token endpoint. */
  tokenRequest: { readonly authorization: string | undefined; readonly form: URLSearchParams } | undefined;
  #misbehaviour: Misbehaviour = {};
  readonly #pkce: NonNullable<HostileOptions["pkce"]>;
  readonly #grants = new Map<string, Grant>();

  private constructor(url: string, key: SigningKey, { clock, pkce }: HostileOptions) {
    this.url = url;
    this.key = key;
    this.published = [key.publicJwk];
    this.clock = clock ?? systemClock;
    this.#pkce = pkce ?? "required";
  }

  static async start(cleanup: Cleanup, options: HostileOptions = {}): Promise<HostileProvider> {
    const server = createServer();
    const url = await listen(server, cleanup);
    const key = await signingKey(options.alg ?? "ES256", "first");
    const provider = new HostileProvider(url, key, options);
    server.on("request", (request, response) => {
      provider.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    return provider;
  }

  get wellKnown(): string {
    return this.url + PATHS.discovery;
  }

  /** From now on; `honest` ends it. */
  misbehave(how: MisbehaviourName | Misbehaviour): void {
    this.#misbehaviour = typeof how === "string" ? MISBEHAVIOURS[how] : how;
  }

  honest(): void {
    this.#misbehaviour = {};
  }

  /** A new key signs and is published; the old one is still published unless it is retired. */
  async rotate(kid: string, { retire = false } = {}): Promise<void> {
    this.key = await signingKey(this.key.alg, kid);
    this.published = retire ? [this.key.publicJwk] : [...this.published, this.key.publicJwk];
  }

  /** What a browser does: goes to the provider and comes back to the URL that this resolves to. */
  async visit(url: URL): Promise<URL> {
    const response = await fetch(url, { redirect: "manual" });
    const location = response.headers.get("location");
    if (location === null) throw new Error(`no redirect but ${response.status}: ${await response.text()}`);
    return new URL(location);
  }

  sign(claims: JWTPayload, header: Record<string, unknown> = {}, key = this.key): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT", ...header })
      .sign(key.privateKey);
  }

  /** The claims of an honest access token for `audience`. */
  accessClaims(audience: string): JWTPayload {
    const now = Math.floor(this.clock.now() / 1000);
    return {
      iss: this.url,
      sub: SUBJECT,
      aud: audience,
      azp: "tiled-cli",
      iat: now,
      exp: now + 300,
      scope: "openid",
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const moved = request.url?.startsWith(MOVED) === true;
    const url = new URL(request.url?.slice(moved ? MOVED.length : 0) ?? "/", this.url);
    const endpoint = (Object.keys(PATHS) as Endpoint[]).find((name) => PATHS[name] === url.pathname);
    if (endpoint === undefined) return json(response, 404, { error: "not_found" });
    this.asked[endpoint] += 1;
    const broken = this.#misbehaviour.breaks?.[endpoint];
    if (broken !== undefined && !moved) return broken(response);
    switch (endpoint) {
      case "discovery":
        return json(response, 200, this.#discovery());
      case "keys":
        return json(response, 200, { keys: this.published });
      case "authorize":
        return this.#authorize(url, response);
      case "token":
        return this.#token(request, response);
    }
  }

  #discovery(): Record<string, unknown> {
    return {
      issuer: this.url,
      authorization_endpoint: this.url + PATHS.authorize,
      token_endpoint: this.url + PATHS.token,
      jwks_uri: this.url + PATHS.keys,
      device_authorization_endpoint: `${this.url}/device`,
      end_session_endpoint: `${this.url}/logout`,
      id_token_signing_alg_values_supported: ["RS256", "ES256", "none", "HS256"],
      authorization_response_iss_parameter_supported: true,
      ...this.document,
    };
  }

  #authorize({ searchParams }: URL, response: ServerResponse): void {
    const code = randomBytes(16).toString("hex");
    const redirectUri = searchParams.get("redirect_uri");
    this.#grants.set(code, {
      nonce: searchParams.get("nonce"),
      challenge: searchParams.get("code_challenge"),
      redirectUri,
    });
    const back = new URL(redirectUri ?? "http://127.0.0.1/");
    back.searchParams.set("code", code);
    back.searchParams.set("state", searchParams.get("state") ?? "");
    back.searchParams.set("iss", this.url);
    this.#misbehaviour.callback?.(back.searchParams);
    response.writeHead(302, { location: back.href }).end();
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await read(request));
    this.tokenRequest = { authorization: request.headers.authorization, form };
    const { status = 200, answer: change } = this.#misbehaviour;
    if (status !== 200) return json(response, status, change?.({}));
    const code = form.get("code") ?? "";
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const verifier = form.get("code_verifier");
    const without = verifier === null && this.#pkce === "optional";
    const challenge = without
      ? null
      : createHash("sha256")
          .update(verifier ?? "")
          .digest("base64url");
    if (grant?.challenge !== challenge || grant.redirectUri !== form.get("redirect_uri")) {
      return json(response, 400, { error: "invalid_grant", error_description: `Bad code: ${code}` });
    }
    const accessToken = randomBytes(24).toString("base64url");
    const answer = {
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: 300,
      refresh_token: "a-refresh-token",
      id_token: await this.#idToken(grant.nonce, accessToken),
    };
    json(response, 200, change === undefined ? answer : change(answer));
  }

  async #idToken(nonce: string | null, accessToken: string): Promise<string> {
    const now = Math.floor(this.clock.now() / 1000);
    const half = createHash("sha256").update(accessToken).digest().subarray(0, 16).toString("base64url");
    const claims: JWTPayload = {
      iss: this.url,
      aud: CLIENT_ID,
      azp: CLIENT_ID,
      sub: SUBJECT,
      nonce: nonce ?? "",
      iat: now,
      exp: now + 300,
      at_hash: half,
      ...this.claims,
    };
    this.#misbehaviour.claims?.(claims, now);
    const { forge } = this.#misbehaviour;
    return forge === undefined ? this.sign(claims) : forge(claims, this);
  }
}

async function listen(server: Server, cleanup: Cleanup): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  return body;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
