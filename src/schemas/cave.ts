/** The wire types of CAVE's clients: the user object, people, tokens, and the form of errors. */
import { Type } from "typebox";

const Time = Type.String({ description: "HTTP date, e.g. `Mon, 30 Nov 2026 12:00:00 GMT`" });
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Names = Type.Array(Type.String());

const Named = Type.Object({ id: Type.Integer(), name: Type.String() }, { title: "CaveName" });

export const CaveErrorAnswer = Type.Object(
  {
    error: Type.String({ description: "A stable code, e.g. `invalid_token`" }),
    message: Type.String(),
    data: Type.Unsafe<object>({ type: "object", additionalProperties: true }),
  },
  { title: "CaveError" },
);

export const CaveUser = Type.Object(
  {
    id: Type.Integer(),
    parent_id: Type.Null(),
    service_account: Type.Boolean(),
    name: Type.String(),
    email: Type.String({ description: "An address that a provider has verified, else empty" }),
    admin: Type.Boolean({ description: "Implies no permission" }),
    pi: Type.String(),
    affiliations: Type.Array(Type.Never()),
    groups: Names,
    permissions: Type.Record(Type.String(), Type.Integer(), {
      description: "By dataset: 1 `view`, 2 `edit`, 0 others",
    }),
    permissions_v2: Type.Record(Type.String(), Names, { description: "By dataset" }),
    permissions_v2_ignore_tos: Type.Record(Type.String(), Names, {
      description: "The same, as if all terms of service were accepted",
    }),
    missing_tos: Type.Array(
      Type.Object(
        {
          dataset_id: Type.Integer(),
          dataset_name: Type.String(),
          tos_id: Type.Integer(),
          tos_name: Type.String(),
        },
        { title: "CaveMissingTerms" },
      ),
    ),
    datasets_admin: Names,
    groups_admin: Names,
  },
  { title: "CaveUser" },
);

export const Person = Type.Object(
  {
    id: Type.Integer(),
    service_account: Type.Boolean(),
    name: Type.String(),
    created: Time,
    pi: Type.String(),
    affiliations: Type.Array(Type.Never()),
    email: Type.Optional(
      Type.String({ description: "For superadmins, services and the person; so are all that follow" }),
    ),
    admin: Type.Optional(Type.Boolean()),
    admin_datasets: Type.Optional(Type.Array(Named)),
    gdpr_consent: Type.Optional(Type.Boolean()),
  },
  { title: "CavePerson" },
);

export const NumbersQuery = Type.Object({
  id: Type.String({ description: "Numbers, separated by commas; at most 1,000" }),
});

export const PersonNames = Type.Array(Named);

export const GroupMembers = Type.Array(
  Type.Object({ id: Type.Integer(), name: Type.String(), admin: Type.Boolean() }, { title: "CaveMember" }),
);

export const CaveTokenBody = Type.Object(
  {
    description: Type.Optional(Type.Unsafe<string | null>({ type: ["string", "null"], maxLength: 120 })),
  },
  { title: "CaveTokenRequest" },
);

export const CaveTokenText = Type.String({ description: "The token: 32 hex digits, shown once" });

export const CaveTokenList = Type.Array(
  Type.Object(
    {
      id: Type.Integer(),
      user_id: Type.Integer(),
      token: Type.String({ description: "Its first eight digits, the others masked" }),
      description: Nullable(Type.String()),
      created: Time,
      updated: Time,
      last_used: Nullable(Time),
    },
    { title: "CaveToken" },
  ),
);

export const Success = Type.Literal("success");
export const DatasetName = Type.String();
export const NeverPublic = Type.Literal(false);
export const AuthInfo = Type.Object({ login_url: Type.String() }, { title: "CaveAuthInfo" });
