/** `server.account_url`: which hosts it may name, and what it needs beside it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, TREES, wrong } from "./support.ts";

const PROVIDERS = `authentication: {secret_keys: [0123456789abcdef0123456789abcdef], providers: [{provider: toy, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {a: b}}}]}\n`;

function yaml(server: string, rest = TREES, providers = PROVIDERS): string {
  return `server: {${server}}\n${providers}${rest}`;
}

describe("server.account_url", () => {
  for (const [server, expected] of [
    ["public_url: https://a.org, account_url: https://b.org", "https://b.org"],
    ["public_url: https://a.org, account_url: HTTPS://B.org:443/", "https://b.org"],
    ["public_url: https://a.org/tiled/, account_url: https://b.org", "https://b.org/tiled"],
    ["public_url: https://a.org/tiled, account_url: https://b.org/tiled/", "https://b.org/tiled"],
    ["public_url: http://d.localhost:8000, account_url: http://a.localhost:8000", "http://a.localhost:8000"],
    ["public_url: http://a.org, account_url: https://b.org, hosts: [b.org]", "https://b.org"],
    ["public_url: https://a.org", null],
  ] as const) {
    it(`is ${expected} for {${server}}`, () => assert.equal(load(yaml(server)).server.accountUrl, expected));
  }

  const host = 'trees: [{host: "B.org", upstream: "http://127.0.0.1:1"}]\n';
  for (const [name, file, expected] of [
    [
      "no address of the data",
      yaml("account_url: https://b.org"),
      /^1 server\.account_url: this needs server\.public_url/,
    ],
    [
      "plain HTTP",
      yaml("public_url: http://a.org, account_url: http://b.org"),
      /logins need HTTPS.*Use https:/,
    ],
    [
      "plain HTTP beside HTTPS",
      yaml("public_url: https://a.org, account_url: http://b.localhost"),
      /server\.public_url is https, and this is not/,
    ],
    [
      "the same host",
      yaml("public_url: https://a.org, account_url: https://A.org"),
      /public_url has the same host name/,
    ],
    [
      "another port of the same host",
      yaml("public_url: https://a.org, account_url: https://a.org:8443"),
      /public_url has the same host name, and cookies do not tell ports apart/,
    ],
    [
      "the host of an upstream",
      yaml("public_url: https://a.org, account_url: https://b.org", host),
      /trees\[0\]\.host has the same host name/,
    ],
    [
      "a host that asks verify",
      yaml('public_url: https://a.org, account_url: https://b.org, verify_hosts: [c.org, "b.org:1"]'),
      /server\.verify_hosts\[1\] has the same host name/,
    ],
    ["a path", yaml("public_url: https://a.org, account_url: https://b.org/x"), /Use 'https:\/\/b\.org'/],
    [
      "no accounts",
      yaml("public_url: https://a.org, account_url: https://b.org", TREES, ""),
      /no accounts without authentication\.providers/,
    ],
    [
      "an address that cannot be read",
      yaml("public_url: nonsense, account_url: https://b.org"),
      /^1 server\.public_url: /,
    ],
  ] as const) {
    it(`is refused: ${name}`, () => {
      const found = wrong(file);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }
});
