/** What the arguments mean, and the errors about those that cannot be. An error begins with its key: `args.groups: …`. */
import { FilterParser } from "ldapts";
import { OperatorError } from "../../errors.ts";
import type { Args } from "./args.ts";
import { fill, isDnTemplate, templateProblem, wildcard } from "./escape.ts";
import { parseServer, type Server } from "./servers.ts";

interface SearchUser {
  readonly dn: string;
  readonly password: string;
}

interface Lookup {
  readonly base: string;
  readonly attribute: string;
  readonly filter: string;
  /** The attribute with the name in templates and identities. */
  readonly nameAttribute: string;
}

interface GroupSettings {
  readonly base: string;
  readonly filter: string;
  readonly attribute: string;
  readonly only: readonly RegExp[] | null;
}

export interface Settings {
  readonly servers: readonly Server[];
  readonly startTls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCaFile: string | null;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly loginTimeout: number;
  readonly templates: readonly string[];
  readonly nameRule: RegExp;
  readonly normalize: boolean;
  /** Null: without `lookup_dn`. */
  readonly lookup: Lookup | null;
  readonly searchUser: SearchUser | null;
  readonly userSearch: { readonly base: string; readonly attribute: string } | null;
  readonly searchFilter: string | null;
  readonly allowedGroups: readonly string[];
  readonly nestedGroups: boolean;
  readonly groups: GroupSettings | null;
  readonly stateAttributes: readonly string[];
  readonly useLookupName: boolean;
}

const ATTRIBUTE = /^[a-z][a-z0-9-]*(?:;[a-z0-9-]+)*$|^\d+(?:\.\d+)*$/i;
/** Passwords and keys: a state is shown in tokens. */
const SECRET =
  /^(?:userPassword|unicodePwd|dBCSPwd|ntPwdHistory|lmPwdHistory|supplementalCredentials|authPassword|sambaNTPassword|sambaLMPassword|sambaPasswordHistory|pwdHistory|passwordHistory|ms-Mcs-AdmPwd|msLAPS-.*|krb.*Key|ipaNTHash|nsds5ReplicaCredentials)(?:;.*)?$/i;

export function settingsOf(args: Args): Settings {
  const wrong = (key: string, message: string): never => {
    throw new OperatorError(`args.${key}: ${message}`);
  };
  const useSsl = args.use_ssl ?? false;
  const addresses = typeof args.server_address === "string" ? [args.server_address] : args.server_address;
  const servers = addresses.map(
    (address) =>
      parseServer(address, useSsl, args.server_port ?? null) ??
      wrong(
        "server_address",
        `${JSON.stringify(address)} is not an address. Examples: ldap.lab.org, [::1]:389, ldaps://ldap.lab.org`,
      ),
  );
  const given = args.bind_dn_template ?? [];
  const templates = (typeof given === "string" ? [given] : given).filter(
    (template) => template.trim() !== "",
  );
  for (const template of templates) {
    const problem = templateProblem(template, ["username"]);
    if (problem !== undefined) wrong("bind_dn_template", problem);
    if (!template.includes("{username}"))
      wrong("bind_dn_template", "must have {username}, which stands for the user name.");
  }
  const base = args.user_search_base ?? "";
  const attribute = args.user_attribute ?? "";
  if (attribute !== "" && !ATTRIBUTE.test(attribute))
    wrong("user_attribute", "is not the name of an attribute.");
  if (args.lookup_dn === true && base === "") wrong("user_search_base", "is needed with lookup_dn.");
  if (args.lookup_dn === true && attribute === "") wrong("user_attribute", "is needed with lookup_dn.");
  if (args.lookup_dn !== true && templates.length === 0) {
    wrong("bind_dn_template", "is needed, unless lookup_dn searches the person's entry.");
  }
  const lookupFilter = args.lookup_dn_search_filter ?? "({login_attr}={login})";
  checkFilter("lookup_dn_search_filter", lookupFilter, ["login_attr", "login"], wrong);
  if (args.lookup_dn === true && !lookupFilter.includes("{login}"))
    wrong("lookup_dn_search_filter", "must have {login}.");
  const searchFilter = args.search_filter ?? "";
  if (searchFilter !== "") {
    checkFilter("search_filter", searchFilter, ["userattr", "username"], wrong);
    if (base === "") wrong("user_search_base", "is needed with search_filter.");
  }
  const dn = args.lookup_dn_search_user ?? "";
  const password = args.lookup_dn_search_password ?? "";
  if (dn !== "" && password === "")
    wrong("lookup_dn_search_password", "is needed with lookup_dn_search_user.");
  if (dn === "" && password !== "")
    wrong("lookup_dn_search_user", "is needed with lookup_dn_search_password.");
  const stateAttributes = args.auth_state_attributes ?? [];
  for (const name of stateAttributes) {
    if (!ATTRIBUTE.test(name))
      wrong("auth_state_attributes", `${JSON.stringify(name)} is not the name of an attribute.`);
    if (SECRET.test(name))
      wrong("auth_state_attributes", `'${name}' is a secret, and this state is visible in tokens.`);
  }
  const nameAttribute = args.lookup_dn_user_dn_attribute ?? attribute;
  if (nameAttribute !== "" && (!ATTRIBUTE.test(nameAttribute) || SECRET.test(nameAttribute))) {
    wrong("lookup_dn_user_dn_attribute", "cannot be the name of a person.");
  }
  const groups = groupSettings(args, wrong);
  const allowedGroups = args.allowed_groups ?? [];
  const needsDn = allowedGroups.length > 0 || groups !== null || stateAttributes.length > 0;
  if (
    args.lookup_dn !== true &&
    needsDn &&
    !templates.every(isDnTemplate) &&
    (base === "" || attribute === "")
  ) {
    wrong(
      "user_search_base",
      "and user_attribute are needed to find the entry of a person who logs in with a name that is not a DN.",
    );
  }
  if (args.nested_groups === true && groups === null)
    wrong("nested_groups", "needs groups.search_base, where groups are.");
  return {
    servers,
    startTls: args.use_tls ?? true,
    tlsVerify: args.tls_verify ?? true,
    tlsCaFile: args.tls_ca_file ?? null,
    connectTimeout: (args.connect_timeout ?? 5) * 1000,
    loginTimeout: ((args.connect_timeout ?? 5) + (args.receive_timeout ?? 60)) * 1000,
    templates,
    nameRule: nameRule(args.valid_username_regex ?? "^[a-z][.a-z0-9_-]*$", wrong),
    normalize: args.normalize_username ?? true,
    lookup: args.lookup_dn === true ? { base, attribute, filter: lookupFilter, nameAttribute } : null,
    searchUser: dn === "" ? null : { dn, password },
    userSearch: base === "" || attribute === "" ? null : { base, attribute },
    searchFilter: searchFilter === "" ? null : searchFilter,
    allowedGroups,
    nestedGroups: args.nested_groups ?? false,
    groups,
    stateAttributes,
    useLookupName: args.use_lookup_dn_username ?? true,
  };
}

function groupSettings(args: Args, wrong: (key: string, message: string) => never): GroupSettings | null {
  const { groups } = args;
  if (groups == null) return null;
  const filter = groups.filter ?? "(|(member={dn})(uniqueMember={dn})(memberUid={username}))";
  checkFilter("groups.filter", filter, ["dn", "username"], wrong);
  if (!/\{(?:dn|username)\}/.test(filter)) wrong("groups.filter", "must have {dn} or {username}.");
  const attribute = groups.attribute ?? "cn";
  if (!ATTRIBUTE.test(attribute) || SECRET.test(attribute))
    wrong("groups.attribute", "is not the name of an attribute.");
  return { base: groups.search_base, filter, attribute, only: groups.only?.map(wildcard) ?? null };
}

function checkFilter(
  key: string,
  filter: string,
  names: readonly string[],
  wrong: (key: string, message: string) => never,
): void {
  const problem = templateProblem(filter, names);
  if (problem !== undefined) wrong(key, problem);
  try {
    FilterParser.parseString(fill(filter, Object.fromEntries(names.map((name) => [name, "x"]))));
  } catch (error) {
    wrong(key, `is not a filter: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Python's syntax differs from ours in the ends of a text and in named groups. */
function nameRule(pattern: string, wrong: (key: string, message: string) => never): RegExp {
  const ours = pattern.replaceAll("\\A", "^").replaceAll("\\Z", "$").replaceAll("(?P<", "(?<");
  try {
    return new RegExp(`^(?:${ours})$`, "u");
  } catch (error) {
    return wrong("valid_username_regex", error instanceof Error ? error.message : String(error));
  }
}
