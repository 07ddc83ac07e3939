import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SEARCH_USER, type Slapd, SUFFIX, startSlapd, withoutSlapd } from "../../support/slapd.ts";
import { ENTRIES, GROUPS, LOOKUP, make, PEOPLE, reaching, TEMPLATE } from "./support.ts";

const POLICY = `dn: cn=policy,${SUFFIX}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 2
pwdMustChange: TRUE

`;
const MANY = Array.from(
  { length: 1200 },
  (_, index) =>
    `dn: cn=g${String(index).padStart(4, "0")},${GROUPS}\nobjectClass: groupOfNames\nmember: uid=hugo,ou=guests,${PEOPLE}\n\n`,
).join("");

describe("an OpenLDAP with a password policy and many groups", { skip: withoutSlapd() }, () => {
  let slapd: Slapd;
  before(async () => {
    slapd = await startSlapd(
      ENTRIES + POLICY + MANY,
      `limits dn.exact="${SEARCH_USER}" size.prtotal=unlimited
overlay ppolicy
ppolicy_default cn=policy,${SUFFIX}
ppolicy_use_lockout`,
    );
  });
  after(() => slapd.remove());
  const refused = async (args: object, name: string, password: string) => {
    const answer = await make({ ...reaching(slapd), ...args }).authenticator.authenticate(name, password);
    return answer !== null && "refused" in answer ? answer.refused : answer?.id;
  };

  test("a person who must change the password is refused", async () => {
    assert.equal(await refused(LOOKUP, "bob", "bob-pa55"), "bob");
    slapd.modify(`dn: uid=bob,${PEOPLE}\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n`);
    for (const args of [LOOKUP, TEMPLATE]) {
      assert.equal(await refused(args, "bob", "bob-pa55"), "password_must_change");
    }
  });

  test("a locked person is refused, with the right password too", async () => {
    for (let attempt = 0; attempt < 3; attempt++) await refused(TEMPLATE, "ada", "wrong");
    assert.equal(await refused(TEMPLATE, "ada", "ada-pa55"), "account_locked");
  });

  test("more groups than a page has; of more than 500 the rest is left out, with a warning", async () => {
    const groups = async (more: object) => {
      const made = make({ ...reaching(slapd), ...LOOKUP, groups: { search_base: GROUPS, ...more } });
      const answer = await made.authenticator.authenticate("hugo", "hugo-pa55");
      assert.ok(answer !== null && "id" in answer);
      return { names: answer.state?.["groups"] as string[], warnings: made.warnings.join() };
    };
    const all = await groups({});
    assert.equal(all.names.length, 500);
    assert.match(all.warnings, /is in 1200 groups; only the first 500/);
    assert.equal((await groups({ only: ["g119*"] })).names.length, 10);
  });

  test("a directory that stops at 500 is reported", async () => {
    const args = { bind_dn_template: `uid={username},ou=guests,${PEOPLE}`, groups: { search_base: GROUPS } };
    const { authenticator, warnings } = make({ ...reaching(slapd), ...args });
    assert.ok(await authenticator.authenticate("hugo", "hugo-pa55"));
    assert.match(warnings.join(), /sends no more than \d+ groups/);
  });
});
