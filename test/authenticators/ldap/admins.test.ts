/** Administrators by group: from the directory's groups to what a person may do. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bearer, testApp } from "../../support/app.ts";
import { type Slapd, startSlapd, withoutSlapd } from "../../support/slapd.ts";
import { ENTRIES, GROUPS, LOOKUP, make, PEOPLE, reaching } from "./support.ts";

const PLACE = { file: "config.yml", line: 1, path: "" };
const WITH_GROUPS = { groups: { search_base: GROUPS } };

describe("administrators by a directory's group", { skip: withoutSlapd() }, () => {
  let slapd: Slapd;
  before(async () => {
    slapd = await startSlapd(ENTRIES);
  });
  after(() => slapd.remove());

  const appWith = async (group: string, admins: readonly string[] = []) => {
    const { authenticator } = make({ ...reaching(slapd), ...LOOKUP, ...WITH_GROUPS });
    return await testApp({
      authenticators: new Map([["lab", authenticator]]),
      authentication: {
        providers: [{ provider: "lab", authenticator: "ldap", args: {}, place: PLACE }],
        admins: admins.map((id) => ({ provider: "lab", id })),
        adminGroups: [{ provider: "lab", group }],
      },
    });
  };
  type App = Awaited<ReturnType<typeof appWith>>;
  const isAdmin = async (t: App, name: string): Promise<boolean> => {
    const fields = { username: name, password: `${name}-pa55` };
    const login = await t.form("/api/v1/auth/provider/lab/token", fields);
    assert.equal(login.statusCode, 200, login.body);
    const { access_token } = login.json<{ access_token: string }>();
    const answer = await t.call({ url: "/api/v1/auth/principal", headers: bearer(access_token) });
    return answer.statusCode === 200;
  };

  test("a member is an administrator, another person is not", async () => {
    await using t = await appWith("beam1");
    assert.equal(await isAdmin(t, "ada"), true);
    assert.equal(await isAdmin(t, "bob"), false);
  });

  test("a group's whole name counts", async () => {
    await using t = await appWith("beam");
    assert.equal(await isAdmin(t, "ada"), false);
  });

  test("a person who left the group loses the role at the next login, an administrator named in the configuration does not", async () => {
    await using t = await appWith("beam2", ["ada"]);
    assert.equal(await isAdmin(t, "emil"), true);
    assert.equal(await isAdmin(t, "ada"), true);
    slapd.modify(`dn: cn=beam2,${GROUPS}\nchangetype: modify\nreplace: member\nmember: uid=twin,${PEOPLE}\n`);
    assert.equal(await isAdmin(t, "emil"), false);
    assert.equal(await isAdmin(t, "ada"), true);
  });
});
