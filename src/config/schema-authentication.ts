/**
 * The part of the configuration's schema that says who may do what: authentication, access policy, audit.
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
      failures: optional(whole(1, 1_000_000), "How many failures are let through", failures),
      per: optional(throttleWindow(), "Within which time, at most 24 days", 300),
    }),
    what,
  );

const provider = section("One way to log in", {
  provider: Type.String({
    format: "provider-name",
    description:
      "Unique name; it becomes part of URLs and of the identities in the database: do not rename it later",
  }),
  authenticator: Type.String({
    format: "not-empty",
    description:
      "Which authenticator: one of Tiled's names ('tiled.authenticators:PAMAuthenticator') or a class of your own in a file beside the configuration ('./my_auth.js:MyAuthenticator')",
  }),
  args: optional(anyArgs(), "The authenticator's arguments"),
  case_sensitive: optional(
    Type.Boolean(),
    "Whether names that are equal but for case are different people there. Where not, another spelling of a known name is refused. Default: as the authenticator knows of its backend",
  ),
});

export const authentication = section("Who may log in, how, and for how long", {
  authenticator: noEffect("the form of Tiled of 2021; see providers"),
  args: noEffect("the form of Tiled of 2021; see providers"),
  providers: optional(
    Type.Array(provider),
    "Ways to log in. Without any, the server has a single user, who has a key (single_user_api_key)",
  ),
  tiled_admins: optional(
    Type.Array(
      section("One administrator", {
        provider: Type.String({ format: "not-empty", description: "The name of one of the providers" }),
        id: Type.String({ format: "not-empty", description: "The name of the user there" }),
      }),
    ),
    "Who gets the roles 'user' and 'admin', at each start",
  ),
  secret_keys: optional(
    Type.Array(secretText("not-empty"), { minItems: 1 }),
    "Keys that tokens are signed with; the first signs, all verify. Make one with: openssl rand -hex 32. Without any, logins end with the process",
  ),
  allow_anonymous_access: optional(Type.Boolean(), "Whether visitors may read without logging in", false),
  single_user_api_key: optional(
    secretText("alphanumeric"),
    "The key of the single user, where there are no providers. Without it, each start makes another and prints it",
  ),
  allow_weak_secrets: optional(
    Type.Boolean(),
    "Whether a server that others can reach starts with secret_keys or a single_user_api_key that may be guessed; each start warns of it. For old deployments, until their secrets are changed",
    false,
  ),
  access_token_max_age: optional(
    duration(),
    "How long an access token is good; clients renew it by themselves",
    900,
  ),
  refresh_token_max_age: optional(duration(), "How long a login lasts that is not used", 604_800),
  session_max_age: optional(duration(), "How long a login lasts at most, used or not", 31_536_000),
  refresh_token_rotation: optional(
    Type.Boolean(),
    "Whether a refresh token is good once, so that a stolen one is found out. false as long as a real Tiled runs on the same database",
    true,
  ),
  refresh_token_grace: optional(
    duration(),
    "How long after its exchange a refresh token gets the same next one again, for programs that share it or lost the answer; later, its session ends",
    60,
  ),
  session_limit: optional(whole(1, 100_000), "How many live logins one principal may have", 200),
  api_key_limit: optional(whole(1, 100_000), "How many API keys one principal may have", 100),
  login_budget: optional(
    Type.Union([
      Type.Literal(false),
      section("How often one account may log in", {
        logins: optional(whole(1, 1_000_000), "Logins of one account, from wherever", 1000),
        per: optional(throttleWindow(), "Within which time, at most 24 days", 600),
      }),
    ]),
    "The brake on programs that log in with each request; false switches it off. Each server counts for itself",
  ),
  login_throttle: optional(
    Type.Union([
      Type.Literal(false),
      section("How many failed logins are let through", {
        account: limit(10, "Wrong passwords for one account from one address"),
        address: limit(
          100,
          "Wrong passwords and wrong user codes from one address; then right passwords alone get in from there, and after 50 times as many wrong passwords none",
        ),
      }),
    ]),
    "The brake on guessing passwords; false switches it off",
  ),
});

export const accessControl = section("Who sees which entries", {
  access_policy: Type.String({
    format: "not-empty",
    description:
      "Name of a policy: 'tiled.access_control.access_policies:TagBasedAccessPolicy', or a class of your own in a file beside the configuration ('./my_policy.js:MyPolicy')",
  }),
  args: Type.Union([anyArgs(), Type.Null()], {
    description: "The policy's arguments; must be there, may be null",
  }),
});

export const audit = section("The record of security events", {
  retention_days: Type.Optional(
    Type.Union([whole(1, 36_500), Type.Null()], {
      description: "After how many days a record is deleted; null: never",
      default: 365,
    }),
  ),
});

export const database = section("Where principals, sessions and keys are kept. Without it: in memory", {
  uri: optional(
    secretText("database-uri"),
    "sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host:port/database; its parameters: docs/reference/databases.md",
  ),
  init_if_not_exists: optional(Type.Boolean(), "Whether a missing database is made at the start", false),
  pool_size: optional(
    whole(2, 1000),
    "Connections that are kept open (PostgreSQL); a quarter, with max_overflow, is for reading only",
    5,
  ),
  max_overflow: optional(
    whole(0, 1000),
    "Connections beyond those when there is much to do (PostgreSQL)",
    10,
  ),
  pool_pre_ping: optional(
    Type.Boolean(),
    "Whether a connection is tested before it is used (PostgreSQL)",
    true,
  ),
});

/** `oneOf` is for editors; `content.ts` and `upstreams.ts` say what is missing, or too much, in their own words. */
export const tree = Type.Object(
  {
    path: Type.Optional(
      Type.String({ format: "tree-path", description: "Where it is served: '/' or '/raw'" }),
    ),
    tree: Type.Optional(
      Type.String({
        format: "not-empty",
        description: "Which tree: 'tiled.examples.generated_minimal:tree', or 'files' for a folder",
      }),
    ),
    args: optional(anyArgs(), "The tree's arguments"),
    access_tags: optional(
      Type.Array(text("not-empty")),
      "Tags that the tree's root bears, and all below it that has none of its own",
    ),
    upstream: Type.Optional(
      Type.String({
        format: "web-address",
        description: "Instead of a tree: the URL of a server that this one stands in front of",
      }),
    ),
    host: optional(
      text("host-port"),
      "The host name under which the upstream is served, where it has one of its own",
    ),
    timeout: optional(duration(), "How long the upstream may be silent before a request is given up", 60),
    shares_database: optional(
      Type.Boolean(),
      "Whether the upstream is a Tiled on this server's database, so that it knows the API keys itself",
      false,
    ),
    trusted_pages: optional(
      Type.Array(text("tree-path")),
      "Paths of the upstream whose pages may run scripts on this server's origin, with the login of the person who opens them. Without it: the pages of a Tiled itself ('/ui', '/static', '/docs')",
    ),
    max_connections: optional(
      whole(1, 10_000),
      "How many requests may be under way at the upstream; four times as many wait, and callers beyond that are answered 503. A quarter is for callers with a credential",
      100,
    ),
    max_streams: optional(
      whole(1, 100_000),
      "How many WebSockets may be open to the upstream. A quarter is for callers with a credential",
      1000,
    ),
    kind: optional(
      Type.Union([Type.Literal("tiled"), Type.Literal("http")]),
      "What the upstream is. Without it: 'tiled' where its about document says so, else 'http'",
    ),
    requires: optional(
      section("Scopes that callers need, for an upstream of kind 'http'", {
        read: optional(Type.Array(text("not-empty")), "For GET, HEAD, OPTIONS and WebSockets"),
        write: optional(Type.Array(text("not-empty")), "For every other method"),
      }),
      "Scopes that callers need; narrow API keys that have them pass, too (kind 'http')",
    ),
    enforces_scopes: optional(
      Type.Boolean(),
      "Whether the upstream looks at X-Tiled-Scopes or at its token's scopes, so that every credential may pass (kind 'http')",
      false,
    ),
    token_key: optional(
      secretText("not-empty"),
      "Key of its own for the tokens that the upstream is sent; none of 'secret_keys' (kind 'http')",
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
