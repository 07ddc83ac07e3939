/**
 * The arguments of the OpenID Connect authenticators: the reference's in both generations, and ours. `null` means the
 * same as leaving one out, as in the reference.
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
  redirect_on_success: optional("Where a browser login leads, instead of to our own page"),
  tokens_in_redirect: Type.Optional(
    Type.Boolean({
      default: false,
      description: "The reference's redirect with the tokens in its query, which ends in logs and histories",
    }),
  ),
  token_endpoint_auth_method: choice(
    AUTH_METHODS,
    "How the client's secret is sent, instead of as announced",
  ),
  prompt: choice(["login", "consent", "select_account"], "What the provider asks the person for each time"),
};
const FAILURE = { redirect_on_failure: optional("Where a refused browser login leads") };
const CLAIM = {
  user_id_claim: Type.Optional(
    Type.String({ minLength: 1, default: "sub", description: "The claim that names the person" }),
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
      "Another name of this server at the provider; needs no value where it is the client_id",
    ),
    well_known_uri: Type.Optional(WELL_KNOWN),
    token_uri: Type.Optional(text("Without well_known_uri: the provider's token endpoint")),
    authorization_endpoint: Type.Optional(text("Without well_known_uri: where the browser is sent")),
    public_keys: Type.Optional(
      Type.Array(Type.Unsafe<JWK>({ type: "object", additionalProperties: true }), {
        minItems: 1,
        description: "Without well_known_uri: the provider's public keys, as JWK",
      }),
    ),
    scopes: scopes("What the provider is asked for beyond openid"),
    allowed_users: texts("Identities that may log in; without it and allowed_domains: all of the provider's"),
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
      description: "For logins by a browser, where the client has one",
    }),
  ),
  audience: text("What access tokens must be for (aud)"),
  well_known_uri: WELL_KNOWN,
  device_flow_client_id: text("The client that programs log in as, at the provider"),
  scopes_map: Type.Optional(
    Type.Unsafe<Record<string, string[]> | null>({
      type: "object",
      nullable: true,
      additionalProperties: { type: "array", items: { type: "string" } },
      default: null,
      description: "From scopes of the provider to the scopes that they give here",
    }),
  ),
  allowed_clients: texts("Further clients whose access tokens are accepted"),
};

export const PROXIED_ARGS = Type.Object(
  {
    ...PROXIED,
    ...FAILURE,
    ...CLAIM,
    scopes: scopes("Of the scopes here that a token names itself, those that count"),
  },
  { additionalProperties: false },
);
export type ProxiedArgs = Static<typeof PROXIED_ARGS>;

export const ENTRA_ARGS = Type.Object(
  {
    ...PROXIED,
    extra_scopes: scopes("What the client asks the provider for beyond its defaults"),
    allowed_domains: texts("Domains of user names that may log in"),
  },
  { additionalProperties: false },
);
export type EntraArgs = Static<typeof ENTRA_ARGS>;
