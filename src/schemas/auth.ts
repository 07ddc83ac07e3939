/**
 * The wire types of logins, sessions and principals. Answers show times as `Date`s, which are encoded as ISO 8601 in
 * JSON and as timestamps in msgpack.
 */
import { Type } from "typebox";

const Time = Type.String({ format: "date-time", description: "ISO 8601, UTC, in seconds" });
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const PasswordForm = Type.Object(
  {
    username: Type.String({ minLength: 1 }),
    password: Type.String({ minLength: 1 }),
    grant_type: Type.Optional(Type.String({ pattern: "^password$" })),
  },
  { title: "PasswordForm" },
);

export const TokenAnswer = Type.Object(
  {
    access_token: Type.String({ description: "JWT; send it as `Authorization: Bearer …`" }),
    expires_in: Type.Number({ description: "seconds" }),
    refresh_token: Type.String(),
    refresh_token_expires_in: Type.Number({ description: "seconds" }),
    token_type: Type.Literal("bearer"),
  },
  { title: "Tokens" },
);

export const LinkedIdentity = Type.Object(
  { id: Type.String(), provider: Type.String() },
  { title: "IdentityRef" },
);

export const LoginAnswer = Type.Intersect(
  [
    TokenAnswer,
    Type.Object({
      identity: LinkedIdentity,
      principal: Type.String({ description: "UUID as 32 hex digits" }),
    }),
  ],
  { title: "LoginTokens" },
);

/** An empty token is 422: another program may be writing the shared token file, and a 401 would make the client forget its login. */
export const RefreshBody = Type.Object(
  { refresh_token: Type.String({ minLength: 1 }) },
  { title: "RefreshToken" },
);

/** The items of a list that is too long are not validated one by one. */
const SHORT_LIST = {
  type: ["array", "null"],
  maxItems: 64,
  if: { minItems: 65 },
  else: { items: { type: "string" } },
};

export const ApiKeyBody = Type.Object(
  {
    expires_in: Type.Unsafe<number | null>({
      type: ["integer", "null"],
      description: "seconds; null: never",
    }),
    scopes: Type.Unsafe<string[] | null>({
      ...SHORT_LIST,
      description: "null: all that the principal has at the time of use",
    }),
    note: Type.Optional(Type.Unsafe<string | null>({ type: ["string", "null"] })),
    access_tags: Type.Optional(Type.Unsafe<string[] | null>(SHORT_LIST)),
  },
  { title: "ApiKeyRequest" },
);

export const ApiKey = Type.Object(
  {
    first_eight: Type.String(),
    expiration_time: Nullable(Time),
    note: Nullable(Type.String()),
    scopes: Type.Array(Type.String()),
    access_tags: Nullable(Type.Array(Type.String())),
    latest_activity: Nullable(Time),
  },
  { title: "ApiKey" },
);

export const NewApiKey = Type.Intersect(
  [ApiKey, Type.Object({ secret: Type.String({ description: "shown once" }) })],
  { title: "NewApiKey" },
);

const Identity = Type.Object(
  { id: Type.String(), provider: Type.String(), latest_login: Nullable(Time) },
  { title: "Identity" },
);

const Role = Type.Object({ name: Type.String(), scopes: Type.Array(Type.String()) }, { title: "Role" });

const Session = Type.Object(
  {
    uuid: Type.String(),
    expiration_time: Time,
    revoked: Type.Boolean(),
    state: Type.Unsafe<Readonly<Record<string, unknown>>>({ type: "object", additionalProperties: true }),
  },
  { title: "Session" },
);

export const Principal = Type.Object(
  {
    uuid: Type.String(),
    note: Type.Optional(Type.String({ description: "of a service that was given one: what it is for" })),
    type: Type.Union([Type.Literal("user"), Type.Literal("service")]),
    identities: Type.Array(Identity),
    roles: Type.Array(Role),
    api_keys: Type.Array(ApiKey),
    sessions: Type.Array(Session),
    latest_activity: Nullable(Time),
  },
  { title: "Principal" },
);

/** `null`: an anonymous caller. */
export const Caller = Nullable(Principal);

export const LinkBody = Type.Object(
  {
    provider: Type.String({ description: "of the identity that is added" }),
    username: Type.Optional(Type.String({ description: "where the provider takes passwords" })),
    password: Type.Optional(Type.String()),
    code: Type.Optional(
      Type.String({ description: "where the provider is another site: what an application gets from it" }),
    ),
    code_verifier: Type.Optional(Type.String()),
  },
  { title: "IdentityRequest" },
);

export const IdentityQuery = Type.Object({
  provider: Type.String({ minLength: 1 }),
  id: Type.String({ minLength: 1 }),
});

export const FirstEightQuery = Type.Object({ first_eight: Type.String({ minLength: 1 }) });

const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const PageLimit = Type.Integer({ minimum: 0, maximum: 300 });
export const PageQuery = Type.Object({
  "page[offset]": Type.Optional(Offset),
  "page[limit]": Type.Optional(PageLimit),
  offset: Type.Optional(Offset),
  limit: Type.Optional(PageLimit),
});
