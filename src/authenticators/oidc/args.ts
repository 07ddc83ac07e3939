/**
 * The arguments of the OpenID Connect authenticators: Tiled's in both generations, and ours. `null` means the same as a
 * missing argument, as in Tiled.
 */
import type { JWK } from "jose";
import { type Static, Type } from "typebox";
import { AUTH_METHODS } from "./client.ts";

const text = (description: string) => Type.String({ minLength: 1, description });
const optional = (description: string) =>
  Type.Optional(
    Type.Unsafe<string | null>({ type: "string", nullable: true, minLength: 1, default: null, description }),
  );
const texts = (description: string) =>
  Type.Optional(
    Type.Unsafe<string[] | null>({
      type: "array",
      nullable: true,
      items: { type: "string", minLength: 1 },
      minItems: 1,
      default: null,
      description,
    }),
  );
/** RFC 6749, section 3.3. */
const scopes = (description: string) =>
  Type.Optional(
    Type.Unsafe<string[] | null>({
      type: "array",
      nullable: true,
      items: { type: "string", pattern: "^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$" },
      default: null,
      description,
    }),
  );
const choice = <T extends string>(values: readonly T[], description: string) =>
  Type.Optional(Type.Unsafe<T>({ type: "string", enum: values, description }));

const CLIENT = {
  client_id: text("The client's id at the provider"),
  confirmation_message: Type.Optional(
    Type.String({ default: "", description: "Shown after a login; {id} stands for the identity" }),
  ),
  redirect_on_success: optional("Where a login in a browser leads, instead of to our own page"),
  tokens_in_redirect: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        "Whether the redirect has the tokens in its query, as Tiled's has; they end up in logs and histories",
    }),
  ),
  token_endpoint_auth_method: choice(
    AUTH_METHODS,
    "How the client's secret is sent, if the provider does not announce it",
  ),
  prompt: choice(
    ["login", "consent", "select_account"],
    "What the provider asks the person for at each login",
  ),
};
const FAILURE = { redirect_on_failure: optional("Where a refused login in a browser leads") };
const CLAIM = {
  user_id_claim: Type.Optional(
    Type.String({ minLength: 1, default: "sub", description: "The claim that names the user" }),
  ),
};
const WELL_KNOWN = text("The address of the provider's discovery document");

export const OIDC_ARGS = Type.Object(
  {
    ...CLIENT,
    ...FAILURE,
    ...CLAIM,
    client_secret: text("The client's secret at the provider"),
    audience: optional(
      "Another audience of this server's tokens at the provider; not needed if it is the client_id",
    ),
    well_known_uri: Type.Optional(WELL_KNOWN),
    token_uri: Type.Optional(text("Without well_known_uri: the provider's token endpoint")),
    authorization_endpoint: Type.Optional(
      text("Without well_known_uri: the provider's authorization endpoint"),
    ),
    public_keys: Type.Optional(
      Type.Array(Type.Unsafe<JWK>({ type: "object", additionalProperties: true }), {
        minItems: 1,
        description: "Without well_known_uri: the provider's public keys, as JWK",
      }),
    ),
    scopes: scopes("Scopes to request from the provider besides openid"),
    allowed_users: texts(
      "Identities that may log in; without it and allowed_domains, everyone at the provider",
    ),
    allowed_domains: texts("Domains of verified e-mail addresses that may log in"),
  },
  { additionalProperties: false },
);
export type OidcArgs = Static<typeof OIDC_ARGS>;

const PROXIED = {
  ...CLIENT,
  client_secret: Type.Optional(
    Type.Unsafe<string | null>({
      type: "string",
      nullable: true,
      default: "",
      description: "For logins in a browser, if the client has one",
    }),
  ),
  audience: text("The audience that access tokens must have (aud)"),
  well_known_uri: WELL_KNOWN,
  device_flow_client_id: text("The client that programs use at the provider"),
  scopes_map: Type.Optional(
    Type.Unsafe<Record<string, string[]> | null>({
      type: "object",
      nullable: true,
      additionalProperties: { type: "array", items: { type: "string" } },
      default: null,
      description: "Maps the provider's scopes to the scopes that they grant here",
    }),
  ),
  allowed_clients: texts("Further clients whose access tokens are accepted"),
};

export const PROXIED_ARGS = Type.Object(
  {
    ...PROXIED,
    ...FAILURE,
    ...CLAIM,
    scopes: scopes("The scopes that a token may grant by itself"),
  },
  { additionalProperties: false },
);
export type ProxiedArgs = Static<typeof PROXIED_ARGS>;

export const ENTRA_ARGS = Type.Object(
  {
    ...PROXIED,
    extra_scopes: scopes("Scopes that the client requests from the provider besides its defaults"),
    allowed_domains: texts("Domains of user names that may log in"),
  },
  { additionalProperties: false },
);
export type EntraArgs = Static<typeof ENTRA_ARGS>;
