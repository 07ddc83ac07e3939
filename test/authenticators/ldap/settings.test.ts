import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeDn, escapeFilter, fill, preparePassword } from "../../../src/authenticators/ldap/escape.ts";
import { parseServer } from "../../../src/authenticators/ldap/servers.ts";
import { LOOKUP, make, TEMPLATE } from "./support.ts";

const ADDRESS = { server_address: "ldap.lab.org" };

test("addresses", () => {
  const name = (address: string, ssl = false, port: number | null = null) =>
    parseServer(address, ssl, port)?.name;
  assert.equal(name("ldap.lab.org"), "ldap://ldap.lab.org:389");
  assert.equal(name("ldap.lab.org", true), "ldaps://ldap.lab.org:636");
  assert.equal(name("ldap.lab.org", false, 3389), "ldap://ldap.lab.org:3389");
  assert.equal(name("ldap.lab.org:4000", false, 3389), "ldap://ldap.lab.org:4000");
  assert.equal(name("[::1]:389"), "ldap://[::1]:389");
  assert.equal(name("fd00::1"), "ldap://[fd00::1]:389");
  assert.equal(name("ldaps://ldap.lab.org"), "ldaps://ldap.lab.org:636");
  assert.equal(name("ldap://[::1]/", true), "ldap://[::1]:389");
  for (const wrong of ["", "http://x", "a b", "x:99999", "x:0", "[x]:1"])
    assert.equal(name(wrong), undefined, wrong);
});

test("escaping", () => {
  assert.equal(escapeDn(' #a,b=c+d\\e"<>;\0 '), '\\ #a\\,b\\=c\\+d\\\\e\\"\\<\\>\\;\\00\\ ');
  assert.equal(escapeDn("#a"), "\\#a");
  assert.equal(escapeDn(" "), "\\ ");
  assert.equal(escapeDn("  "), "\\ \\ ");
  assert.equal(escapeFilter("a*(b)\\\0ü"), "a\\2a\\28b\\29\\5c\\00ü");
  assert.equal(fill("{{x}} {username}", { username: "{login}" }), "{x} {login}");
  assert.equal(preparePassword("ｐ\u{ad}a ss"), "pa ss");
});

test("arguments that cannot be are refused at the start, with their key", () => {
  const wrong: [object, RegExp][] = [
    [{}, /^args\.bind_dn_template: is needed/],
    [{ bind_dn_template: "uid=x" }, /must have \{username\}/],
    [{ bind_dn_template: "uid={user}" }, /\{user\} is not known here/],
    [{ ...TEMPLATE, server_address: "a b" }, /^args\.server_address: "a b"/],
    [{ ...LOOKUP, user_search_base: null }, /^args\.user_search_base/],
    [{ ...LOOKUP, user_attribute: null }, /^args\.user_attribute/],
    [{ ...LOOKUP, user_attribute: "uid)(x" }, /^args\.user_attribute/],
    [
      { ...LOOKUP, lookup_dn_search_filter: "(uid={login}" },
      /^args\.lookup_dn_search_filter: is not a filter/,
    ],
    [{ ...LOOKUP, lookup_dn_search_password: null }, /^args\.lookup_dn_search_password/],
    [{ ...TEMPLATE, auth_state_attributes: ["userPassword"] }, /'userPassword' is a secret/],
    [{ ...TEMPLATE, auth_state_attributes: ["krbPrincipalKey"] }, /is a secret/],
    [{ ...TEMPLATE, auth_state_attributes: ["unicodePwd"] }, /is a secret/],
    [{ ...TEMPLATE, auth_state_attributes: ["sambaNTPassword"] }, /is a secret/],
    [{ ...TEMPLATE, valid_username_regex: "(" }, /^args\.valid_username_regex/],
    [{ ...TEMPLATE, nested_groups: true }, /^args\.nested_groups/],
    [{ bind_dn_template: "{username}@lab.org", allowed_groups: ["cn=a"] }, /^args\.user_search_base/],
    [{ ...TEMPLATE, groups: { search_base: "dc=lab", filter: "(cn=x)" } }, /^args\.groups\.filter/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => make({ ...ADDRESS, ...args }), { message }, JSON.stringify(args));
  }
  assert.throws(() => make({ ...ADDRESS, ...TEMPLATE, allowed_groups: "cn=a" }), /allowed_groups/);
});

test("a start warns of passwords that others could read", async () => {
  const warnings = async (args: object) => {
    const made = make({ server_address: ["ldap.invalid", "127.0.0.1:1"], ...TEMPLATE, ...args });
    await made.authenticator.start();
    await made.authenticator.stop();
    return made.warnings.join("\n");
  };
  assert.match(await warnings({ use_tls: false }), /travel to ldap:\/\/ldap\.invalid:389 in plain text/);
  assert.match(await warnings({ tls_verify: false }), /tls_verify is false/);
  assert.match(await warnings({ escape_userdn: true }), /escape_userdn has no effect/);
});

test("an authority that cannot be read stops the start", async () => {
  const { authenticator } = make({ ...ADDRESS, ...TEMPLATE, tls_ca_file: "/nowhere/ca.pem" });
  await assert.rejects(
    authenticator.start(),
    /^OperatorError: args\.tls_ca_file: |args\.tls_ca_file: cannot be read/,
  );
});
