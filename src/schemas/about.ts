/** The wire type of the about document, from which clients learn how to log in and where everything is. */
import { Type } from "typebox";

const Strings = Type.Array(Type.String());

const Provider = Type.Object(
  {
    provider: Type.String(),
    mode: Type.Union([Type.Literal("internal"), Type.Literal("external"), Type.Literal("password")], {
      description:
        "`internal`: user name and password. `external`: in a browser. Python clients before 0.1.0b17 are told `password` for `internal`",
    }),
    links: Type.Object({
      auth_endpoint: Type.String(),
      client_id: Type.Optional(
        Type.String({ description: "Where clients log in at the provider themselves" }),
      ),
      token_endpoint: Type.Optional(Type.String()),
      authorize_endpoint: Type.Optional(Type.String()),
    }),
    confirmation_message: Type.Union([Type.String(), Type.Null()], {
      description: "Text to show after a login; `{id}` stands for the identity",
    }),
    extra_scopes: Type.Union([Strings, Type.Null()]),
  },
  { title: "Provider" },
);

export const ServerInfo = Type.Object(
  {
    api_version: Type.Integer(),
    library_version: Type.String({ description: "The version of Tiled whose API this is" }),
    formats: Type.Record(Type.String(), Strings, { description: "Media types by structure family" }),
    aliases: Type.Record(Type.String(), Type.Record(Type.String(), Strings), {
      description: "Short names of media types by structure family",
    }),
    queries: Strings,
    authentication: Type.Object({
      required: Type.Boolean(),
      providers: Type.Array(Provider, { description: "Empty for a single user, and for a public server" }),
      links: Type.Union([
        Type.Object({
          whoami: Type.String(),
          apikey: Type.String(),
          refresh_session: Type.String(),
          revoke_session: Type.String(),
          logout: Type.String(),
        }),
        Type.Null(),
      ]),
    }),
    links: Type.Object({ self: Type.String(), documentation: Type.String() }),
    meta: Type.Object({ root_path: Type.String() }),
  },
  { title: "ServerInfo" },
);
