/**
 * The schema of the sections `authentication`, `access_control`, `audit`, `database` and `trees`.
 */
import { Type } from "typebox";
import {
  duration,
  noEffect,
  optional,
  secretText,
  section,
  text,
  throttleWindow,
  whole,
} from "../yaml/schema-shapes.ts";

const anyArgs = () => Type.Record(Type.String(), Type.Unknown());

const limit = (failures: number, what: string) =>
  optional(
    section(what, {
      failures: optional(whole(1, 1_000_000), "Failures before the limit applies", failures),
      per: optional(throttleWindow(), "In how many seconds (or a duration), at most 24 days", 300),
    }),
    what,
  );

const provider = section("One way to log in", {
  provider: Type.String({
    format: "provider-name",
    description:
      "Unique name, which becomes part of URLs and of identities in the database: do not rename it later",
  }),
  authenticator: Type.String({
    format: "not-empty",
    description:
      "One of Tiled's names ('tiled.authenticators:PAMAuthenticator'), or a class of your own in a file next to the configuration ('./my_auth.js:MyAuthenticator')",
  }),
  args: optional(anyArgs(), "The authenticator's arguments"),
  label: optional(
    Type.String({ format: "not-empty", maxLength: 60 }),
    "What the pages call it: 'ORCID' makes a button 'Log in with ORCID'. Default: the name",
  ),
  icon: optional(
    text("not-empty"),
    "An image beside the label: an image file, relative to the configuration's folder, or one of 'globe', 'institution', 'key', 'person'",
  ),
  case_sensitive: optional(
    Type.Boolean(),
    "Whether names that differ only in case are different people. If not, another spelling of a known name is refused. Default: depends on the authenticator",
  ),
});

export const authentication = section("Who may log in, how, and for how long", {
  authenticator: noEffect("the form of Tiled in 2021; use providers"),
  args: noEffect("the form of Tiled in 2021; use providers"),
  providers: optional(
    Type.Array(provider),
    "Ways to log in. Without any, the server has a single user with an API key (single_user_api_key)",
  ),
  tiled_admins: optional(
    Type.Array(
      section("One administrator", {
        provider: Type.String({ format: "not-empty", description: "The name of one of the providers" }),
        id: optional(
          Type.String({ format: "not-empty" }),
          "The person's ID at that provider, unless there is a group",
        ),
        group: optional(
          Type.String({ format: "not-empty" }),
          "In place of id: a group of that provider, a name of the state 'groups'. Its members are administrators from their next login on, and others lose the role that it gave",
        ),
      }),
    ),
    "People who get the roles 'user' and 'admin' at each start, and groups whose members get them at each login",
  ),
  secret_keys: optional(
    Type.Array(secretText("not-empty"), { minItems: 1 }),
    "Keys for tokens: the first one signs, all of them verify. Create one with: openssl rand -hex 32. Without any, logins end with the process",
  ),
  allow_anonymous_access: optional(Type.Boolean(), "Whether visitors may read without logging in", false),
  single_user_api_key: optional(
    secretText("alphanumeric"),
    "The API key of the single user, without providers. Default: each start makes a new one and prints it",
  ),
  allow_weak_secrets: optional(
    Type.Boolean(),
    "Whether a server that others can reach starts with guessable secret_keys or a guessable single_user_api_key. Each start warns. For old deployments, until their secrets are changed",
    false,
  ),
  access_token_max_age: optional(
    duration(),
    "Lifetime of an access token; clients renew it by themselves",
    900,
  ),
  refresh_token_max_age: optional(duration(), "Lifetime of a login without use", 604_800),
  session_max_age: optional(duration(), "Lifetime of a login, used or not", 31_536_000),
  refresh_token_rotation: optional(
    Type.Boolean(),
    "Whether a refresh token works only once, so that a stolen one is noticed. Set it to false while a real Tiled runs on the same database",
    true,
  ),
  refresh_token_grace: optional(
    duration(),
    "How long a used refresh token gets the same successor again, for programs that share it or lost the answer. Later use ends its session",
    60,
  ),
  session_limit: optional(whole(1, 100_000), "Sessions that one principal may have at a time", 200),
  api_key_limit: optional(whole(1, 100_000), "API keys that one principal may have", 100),
  login_budget: optional(
    Type.Union([
      Type.Literal(false),
      section("How often one account may log in", {
        logins: optional(whole(1, 1_000_000), "Logins of one account, from any address", 1000),
        per: optional(throttleWindow(), "In how many seconds (or a duration), at most 24 days", 600),
      }),
    ]),
    "Limit for programs that log in with each request; false turns it off. Each server counts for itself",
  ),
  login_throttle: optional(
    Type.Union([
      Type.Literal(false),
      section("Failed logins that are allowed", {
        account: limit(10, "Wrong passwords for one account from one address"),
        address: limit(
          100,
          "Wrong passwords and wrong user codes from one address. Beyond it only right passwords are accepted from there, and after 50 times as many wrong passwords none",
        ),
      }),
    ]),
    "Limits for guessing passwords; false turns them off",
  ),
});

export const accessControl = section("Who sees which entries", {
  access_policy: Type.String({
    format: "not-empty",
    description:
      "Name of a policy: 'tiled.access_control.access_policies:TagBasedAccessPolicy', or a class of your own in a file next to the configuration ('./my_policy.js:MyPolicy')",
  }),
  args: Type.Union([anyArgs(), Type.Null()], {
    description: "The policy's arguments; required, may be null",
  }),
});

export const audit = section("The record of security events", {
  retention_days: Type.Optional(
    Type.Union([whole(1, 36_500), Type.Null()], {
      description: "Days after which an event is deleted; null: never",
      default: 365,
    }),
  ),
});

export const database = section("Where principals, sessions and keys are stored. Default: in memory", {
  uri: optional(
    secretText("database-uri"),
    "sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host:port/database; its parameters: docs/reference/databases.md",
  ),
  init_if_not_exists: optional(Type.Boolean(), "Whether the start creates a missing database", false),
  pool_size: optional(
    whole(2, 1000),
    "Connections kept open (PostgreSQL). A quarter of these and of max_overflow is reserved for reading",
    5,
  ),
  max_overflow: optional(whole(0, 1000), "Additional connections under load (PostgreSQL)", 10),
  pool_pre_ping: optional(
    Type.Boolean(),
    "Whether a connection is tested before it is used (PostgreSQL)",
    true,
  ),
  exclusive_writer: optional(
    Type.Boolean(),
    "Whether only tiled-auth writes to this database (PostgreSQL), so that servers remember what they read until it changes; false with Tiled's own server beside it",
    false,
  ),
});

/** `oneOf` is for editors. `content.ts` and `upstreams.ts` word the errors about missing and surplus keys. */
export const tree = Type.Object(
  {
    path: Type.Optional(
      Type.String({ format: "tree-path", description: "The path where it is served: '/' or '/raw'" }),
    ),
    tree: Type.Optional(
      Type.String({
        format: "not-empty",
        description: "A tree: 'tiled.examples.generated_minimal:tree', or 'files' for a folder",
      }),
    ),
    args: optional(anyArgs(), "The tree's arguments"),
    access_tags: optional(
      Type.Array(text("not-empty")),
      "Tags of the tree's root, and of everything below it without tags of its own",
    ),
    upstream: Type.Optional(
      Type.String({
        format: "web-address",
        description: "Instead of a tree: the URL of a server behind this one",
      }),
    ),
    host: optional(text("host-port"), "A host name of its own for the upstream"),
    timeout: optional(duration(), "How long the upstream may be silent before a request ends with 504", 60),
    shares_database: optional(
      Type.Boolean(),
      "Whether the upstream is a Tiled on this server's database, which therefore knows the API keys",
      false,
    ),
    trusted_pages: optional(
      Type.Array(text("tree-path")),
      "Paths of the upstream whose pages may run scripts on this server's origin, with the login of the person who opens them. Default: a Tiled's own pages ('/ui', '/static', '/docs')",
    ),
    max_connections: optional(
      whole(1, 10_000),
      "Requests under way at the upstream at most. Four times as many wait, and further ones get 503. A quarter is reserved for callers with a credential",
      100,
    ),
    max_streams: optional(
      whole(1, 100_000),
      "Open WebSockets to the upstream at most. A quarter is reserved for callers with a credential",
      1000,
    ),
    kind: optional(
      Type.Union([Type.Literal("tiled"), Type.Literal("http")]),
      "The kind of the upstream. Default: 'tiled' if its about document says so, otherwise 'http'",
    ),
    requires: optional(
      section("Scopes that callers need, for an upstream of kind 'http'", {
        read: optional(Type.Array(text("not-empty")), "For GET, HEAD, OPTIONS and WebSockets"),
        write: optional(Type.Array(text("not-empty")), "For every other method"),
      }),
      "Scopes that callers need; narrow API keys with these scopes pass too (kind 'http')",
    ),
    enforces_scopes: optional(
      Type.Boolean(),
      "Whether the upstream checks X-Tiled-Scopes or its token's scopes, so that every credential may pass (kind 'http')",
      false,
    ),
    token_key: optional(
      secretText("not-empty"),
      "A separate key for the tokens that the upstream gets; not one of 'secret_keys' (kind 'http')",
    ),
  },
  {
    additionalProperties: false,
    description: "One tree of data, or a server with data behind this one",
    oneOf: [
      { properties: { path: true, tree: true }, required: ["path", "tree"] },
      { properties: { upstream: true }, required: ["upstream"] },
    ],
  },
);
