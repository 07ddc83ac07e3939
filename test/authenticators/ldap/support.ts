/** The people of the tests' directory, and an authenticator for it. */
import { LDAPAuthenticator } from "../../../src/authenticators/ldap/authenticator.ts";
import { checkArgs } from "../../../src/plugins/class-args.ts";
import { SEARCH_PASSWORD, SEARCH_USER, type Slapd, SUFFIX } from "../../support/slapd.ts";

export const PEOPLE = `ou=people,${SUFFIX}`;
export const GROUPS = `ou=groups,${SUFFIX}`;

function person(dn: string, uid: string, cn: string, password: string, more = ""): string {
  return `dn: ${dn}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${cn}\nsn: ${cn}\nuserPassword: ${password}\n${more}\n`;
}

function group(cn: string, members: readonly string[]): string {
  return `dn: cn=${cn},${GROUPS}\nobjectClass: groupOfNames\ncn: ${cn}\n${members.map((dn) => `member: ${dn}\n`).join("")}\n`;
}

/** JPEG's first bytes, which are not UTF-8. */
const PICTURE = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x00]).toString("base64");

export const ENTRIES = [
  `dn: ${PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\n`,
  `dn: ou=guests,${PEOPLE}\nobjectClass: organizationalUnit\nou: guests\n\n`,
  `dn: ${GROUPS}\nobjectClass: organizationalUnit\nou: groups\n\n`,
  person(
    `uid=ada,${PEOPLE}`,
    "ada",
    "Ada Lovelace",
    "ada-pa55",
    `mail: ada@lab.org\njpegPhoto:: ${PICTURE}\n`,
  ),
  person(`uid=bob,${PEOPLE}`, "bob", "Bob (Robert)", "bob-pa55"),
  person(`cn=Smith\\, Emil,${PEOPLE}`, "emil", "Smith, Emil", "emil-pa55"),
  person(`uid=hugo,ou=guests,${PEOPLE}`, "hugo", "Hugo", "hugo-pa55"),
  person(`uid=twin,${PEOPLE}`, "twin", "Twin", "twin-pa55"),
  person(`uid=twin,ou=guests,${PEOPLE}`, "twin", "Twin", "twin-pa55"),
  person(`uid=o\\2Cou\\3Dx,${PEOPLE}`, "o,ou=x", "Odd", "odd-pa55"),
  group("beam1", [`uid=ada,${PEOPLE}`]),
  group("beam2", [`uid=ada,${PEOPLE}`, `cn=Smith\\, Emil,${PEOPLE}`]),
  group("staff", [`cn=beam1,${GROUPS}`, `cn=all,${GROUPS}`]),
  group("all", [`cn=staff,${GROUPS}`]),
  `dn: cn=unix,${GROUPS}\nobjectClass: posixGroup\ncn: unix\ngidNumber: 7\nmemberUid: bob\n\n`,
  `dn: ou=elsewhere,${SUFFIX}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://127.0.0.1:1/${SUFFIX}\n\n`,
].join("");

export const LOOKUP = {
  lookup_dn: true,
  user_search_base: PEOPLE,
  user_attribute: "uid",
  lookup_dn_search_user: SEARCH_USER,
  lookup_dn_search_password: SEARCH_PASSWORD,
};
export const TEMPLATE = { bind_dn_template: `uid={username},${PEOPLE}` };

/** Arguments that reach a slapd with StartTLS. */
export function reaching({ port, authority }: Slapd): Record<string, unknown> {
  return { server_address: `localhost:${port}`, tls_ca_file: authority.ca };
}

export interface Made {
  readonly authenticator: LDAPAuthenticator;
  readonly warnings: string[];
}

export function make(
  args: Record<string, unknown>,
  options: ConstructorParameters<typeof LDAPAuthenticator>[2] = {},
): Made {
  const checked = checkArgs(LDAPAuthenticator.args, args);
  if (checked.kind === "invalid") throw new Error(JSON.stringify(checked.problems));
  const warnings: string[] = [];
  const context = { provider: "lab", directory: "/", warn: (message: string) => void warnings.push(message) };
  return { authenticator: new LDAPAuthenticator(checked.args as never, context, options), warnings };
}
