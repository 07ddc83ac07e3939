/**
 * The schema of the section `cave`. `oneOf` is for editors; `cave.ts` words the errors about missing and surplus keys there.
 */
import { type TProperties, type TSchema, Type } from "typebox";
import { duration, optional, section, text } from "../yaml/schema-shapes.ts";

/** Clients and their databases keep ids in 32 bits. */
const id = () =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 2_147_483_647,
      description:
        "Its number, which no other one has. Clients keep it: never change it, and never give it to another one",
    }),
  );

const identity = {
  provider: Type.String({ format: "not-empty", description: "The name of one of the providers" }),
  id: Type.String({ format: "identity-id", description: "The person's ID at that provider" }),
};

const people = (description: string) => optional(Type.Array(section("One person", identity)), description);

const member = Type.Object(
  {
    provider: Type.Optional(identity.provider),
    id: Type.Optional(identity.id),
    service: Type.Optional(
      Type.String({ format: "uuid", description: "Instead of a person: the UUID of a service principal" }),
    ),
  },
  {
    additionalProperties: false,
    description: "One person, or one service",
    oneOf: [
      { required: ["provider", "id"], properties: { provider: true, id: true } },
      { required: ["service"], properties: { service: true } },
    ],
  },
);

/** By name. Text in place of an entry is not repeated in messages: the names are the file's own, so it may be a secret. */
const named = <Schema extends TSchema>(schema: Schema, description: string) =>
  optional(Type.Record(Type.String(), { ...schema, writeOnly: true }), description);

const numbered = <Properties extends TProperties>(description: string, properties: Properties) =>
  Type.Object(properties, {
    additionalProperties: false,
    description,
    oneOf: [{ required: ["id"], properties: { id: true } }],
  });

/** By the name of something that is declared elsewhere. */
const namesBy = (description: string) =>
  named(Type.Union([Type.Array(text("cave-name")), Type.Null()]), description);

export const cave = section("The authentication of CAVE: tokens, groups, datasets and terms of service", {
  server_address: Type.String({
    format: "web-address",
    description:
      "The address that users give to CAVEclient: https, or http on this machine. Its host need not be listed in server.hosts. A change needs a restart; every other key of this section is reloaded",
  }),
  admins: people("Superadmins. This grants no permission on a dataset"),
  origins: optional(
    Type.Array(text("web-origin")),
    "Origins of services and viewers that may be handed a login token, beside server_address itself; no wildcards",
  ),
  login_token_max_age: optional(
    duration(),
    "Lifetime of a token that is handed to a service or viewer; at most 30 days",
    86_400,
  ),
  tos: named(
    numbered("Terms of service, by name", {
      id: id(),
      text: optional(text("not-empty"), "The terms"),
      file: optional(
        text("not-empty"),
        "Instead of text: a text file, relative to the configuration's folder",
      ),
    }),
    "Terms of service, by name",
  ),
  datasets: named(
    numbered("A dataset", {
      id: id(),
      tos: optional(text("not-empty"), "The name of the terms that a person has to accept first"),
      admins: people("Admins of the dataset. This grants no permission on it"),
      tables: namesBy(
        "Names of tables in services, by namespace: 'datastack', 'aligned_volume', 'pychunkedgraph' or another one",
      ),
    }),
    "Datasets, by name",
  ),
  groups: named(
    numbered("A group", {
      id: id(),
      everyone: optional(
        Type.Boolean(),
        "Whether every person is a member. Services are only if they are named",
        false,
      ),
      members: optional(Type.Array(member), "People and services"),
      admins: people("Admins of the group, who are members, too"),
      permissions: namesBy(
        "Permissions of the members, by dataset: 'view', 'edit', or any other name that services ask for",
      ),
    }),
    "Groups, by name",
  ),
});
