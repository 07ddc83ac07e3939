/**
 * The arguments of `tiled.authenticators:LDAPAuthenticator`: Tiled's, and ours (`tls_ca_file`, `tls_verify`,
 * `normalize_username`, `nested_groups`, `groups`). `settings.ts` gives them their meaning.
 */
import { type Static, Type } from "typebox";

const nothing = <T>(schema: object, description: string) =>
  Type.Optional(Type.Unsafe<T | null>({ ...schema, nullable: true, default: null, description }));
const text = (description: string) => nothing<string>({ type: "string" }, description);
const texts = (description: string) =>
  nothing<string[]>({ type: "array", items: { type: "string", minLength: 1 } }, description);
const textOrTexts = {
  anyOf: [
    { type: "string", minLength: 1 },
    { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 },
  ],
};
const maybeTexts = (description: string) =>
  Type.Optional(
    Type.Unsafe<string | string[] | null>({
      anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }, { type: "null" }],
      default: null,
      description,
    }),
  );
const flag = (value: boolean, description: string) =>
  Type.Optional(Type.Boolean({ default: value, description }));
const seconds = (value: number, description: string) =>
  Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 600, default: value, description }));

const GROUPS = Type.Object(
  {
    search_base: Type.String({ minLength: 1, description: "The entry below which groups are" }),
    filter: Type.Optional(
      Type.String({
        minLength: 1,
        default: "(|(member={dn})(uniqueMember={dn})(memberUid={username}))",
        description: "A group of the person; {dn} and {username} stand for theirs",
      }),
    ),
    attribute: Type.Optional(
      Type.String({ minLength: 1, default: "cn", description: "The attribute with a group's name, or 'dn'" }),
    ),
    only: texts("Names to keep; '*' in one stands for any characters"),
  },
  {
    additionalProperties: false,
    description: "Which groups of the person go into the session's state 'groups'",
  },
);

export const ARGS = Type.Object(
  {
    server_address: Type.Unsafe<string | string[]>({
      ...textOrTexts,
      description:
        "The directory's servers, tried in order: 'ldap.lab.org', 'ldap.lab.org:389', '[::1]:389', 'ldaps://ldap.lab.org'",
    }),
    server_port: nothing<number>(
      { type: "integer", minimum: 1, maximum: 65_535 },
      "The port of addresses without one. Default: 636 with use_ssl, otherwise 389",
    ),
    use_ssl: flag(false, "Whether to connect with LDAPS"),
    use_tls: flag(true, "Whether to use StartTLS before the first password, without use_ssl"),
    tls_ca_file: text("PEM file of the authorities to trust. Default: those of the system"),
    tls_verify: flag(true, "Whether the server's certificate and its name are checked"),
    connect_timeout: seconds(5, "Seconds for a connection, TLS included"),
    receive_timeout: seconds(60, "Seconds for all answers. A login may take both together"),
    bind_dn_template: maybeTexts(
      "The name to bind with, tried in turn; {username} stands for the user name: 'uid={username},ou=people,dc=lab,dc=org'",
    ),
    allowed_groups: texts("DNs of groups. People in none of them are refused"),
    nested_groups: flag(false, "Whether members of a group's groups are members too, up to ten levels"),
    valid_username_regex: Type.Optional(
      Type.String({
        default: "^[a-z][.a-z0-9_-]*$",
        description: "Must match the whole user name, after normalize_username",
      }),
    ),
    normalize_username: flag(
      true,
      "Whether user names are compared as directories do: NFKC, lower case, without outer and double blanks",
    ),
    lookup_dn: flag(false, "Whether the person's entry is searched first"),
    user_search_base: text("The entry below which people are"),
    user_attribute: text("The attribute with the user name: uid, sAMAccountName"),
    lookup_dn_search_filter: Type.Optional(
      Type.String({
        default: "({login_attr}={login})",
        description: "Finds the entry; {login_attr} stands for user_attribute, {login} for the user name",
      }),
    ),
    lookup_dn_search_user: text("The DN that searches. Default: anonymous"),
    lookup_dn_search_password: text("Its password"),
    lookup_dn_user_dn_attribute: text(
      "The attribute whose value is the identity, and the {username} of bind_dn_template. Default: user_attribute",
    ),
    escape_userdn: flag(false, "No effect: DNs are always escaped as DNs"),
    search_filter: Type.Optional(
      Type.String({
        default: "",
        description:
          "After the password: must find exactly one entry below user_search_base; {userattr} and {username} stand for user_attribute and the name",
      }),
    ),
    attributes: texts("No effect"),
    auth_state_attributes: texts(
      "Attributes of the entry that go into the session's state, visible in tokens",
    ),
    use_lookup_dn_username: flag(
      true,
      "Whether the identity is the value of lookup_dn_user_dn_attribute; false: the name as it was typed",
    ),
    groups: nothing<Static<typeof GROUPS>>(GROUPS, "Groups for the session's state"),
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the user name" }),
    ),
  },
  { additionalProperties: false },
);

export type Args = Static<typeof ARGS>;
