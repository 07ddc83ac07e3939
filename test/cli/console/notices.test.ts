import assert from "node:assert/strict";
import { test } from "node:test";
import { type StartFacts, startNotice } from "../../../src/cli/console/notices.ts";
import { Secret } from "../../../src/lib/secrets.ts";

const FACTS: StartFacts = {
  url: "http://127.0.0.1:8000",
  publicUrl: null,
  accountUrl: null,
  caveAddress: null,
  writable: true,
  mode: "private",
  generatedKey: null,
  durable: true,
  secretKeysConfigured: true,
  identityProviders: [],
};

const notice = (facts: Partial<StartFacts>) => startNotice({ ...FACTS, ...facts });

test("single user: a key that was made for this start is in the address", () => {
  const text = notice({ mode: "single-user", generatedKey: new Secret("abc123") });
  assert.match(text, /^ {4}http:\/\/127\.0\.0\.1:8000\?api_key=abc123$/m);
  assert.match(text, /The key in this address allows reading and writing\./);
  assert.doesNotMatch(text, /Visitors|database|tokens/);
});

test("single user: a configured key is not printed", () => {
  const text = notice({ mode: "single-user" });
  assert.match(text, /^ {4}http:\/\/127\.0\.0\.1:8000$/m);
  assert.match(text, /The configured API key allows reading and writing\./);
});

test("public: visitors may read, the key is for writing", () => {
  const text = notice({ mode: "public", generatedKey: new Secret("abc123") });
  assert.match(text, /Visitors may read without logging in\./);
  assert.match(text, /The key in this address also allows writing\./);
});

test("with logins: the notice says what ends with the process, and only then", () => {
  const passing = notice({ durable: false, secretKeysConfigured: false });
  assert.match(passing, /logins, sessions and API keys end with this process/);
  assert.match(passing, /tokens end with this process/);
  assert.doesNotMatch(notice({}), /end with this process|Visitors|api_key/);
  assert.match(notice({ mode: "mixed" }), /Visitors may read/);
});

test("the public address is printed beside the one it listens on", () => {
  const text = notice({
    mode: "single-user",
    generatedKey: new Secret("abc"),
    publicUrl: "https://tiled.example.org",
  });
  assert.match(text, /8000\?api_key=abc\n {4}https:\/\/tiled\.example\.org\?api_key=abc\n/);
});

test("logins at a provider: both redirect URIs of each, as browsers reach this server", () => {
  const text = notice({
    publicUrl: "https://tiled.example.org/data/",
    identityProviders: [
      { name: "orcid", posts: false },
      { name: "lab", posts: false },
    ],
  });
  for (const end of ["orcid/code", "orcid/device_code", "lab/code", "lab/device_code"]) {
    assert.ok(text.includes(`\n    https://tiled.example.org/data/api/v1/auth/provider/${end}`), end);
  }
  assert.match(
    notice({ identityProviders: [{ name: "lab", posts: false }] }),
    /^ {4}http:\/\/127\.0\.0\.1:8000\/api\/.*\/lab\/code$/m,
  );
  assert.doesNotMatch(notice({}), /[Rr]edirect/);
});

test("nothing is said to be writable where everything is read-only", () => {
  for (const mode of ["single-user", "public"] as const)
    assert.doesNotMatch(notice({ mode, writable: false }), /writ/);
});

test("CAVE's address is an address of the server, and where providers send people back to if no other is given", () => {
  const cave = {
    caveAddress: "https://cave.example.org",
    identityProviders: [{ name: "orcid", posts: false }],
  };
  const text = notice(cave);
  assert.match(text, /^ {4}https:\/\/cave\.example\.org$/m);
  assert.match(text, /^ {4}https:\/\/cave\.example\.org\/api\/v1\/auth\/provider\/orcid\/code$/m);
  const both = notice({ ...cave, publicUrl: "https://tiled.example.org" });
  assert.match(both, /^ {4}https:\/\/tiled\.example\.org\/api\/v1\/auth\/provider\/orcid\/code$/m);
  const same = notice({ ...cave, publicUrl: "https://cave.example.org" });
  assert.equal(same.match(/^ {4}https:\/\/cave\.example\.org$/gm)?.length, 1);
});

test("with a host of their own for logins, that is where providers send people back", () => {
  const text = notice({
    publicUrl: "https://tiled.example.org",
    accountUrl: "https://account.example.org",
    identityProviders: [{ name: "orcid", posts: false }],
  });
  assert.match(text, /^ {4}https:\/\/account\.example\.org\/api\/v1\/auth\/provider\/orcid\/device_code$/m);
  assert.doesNotMatch(text, /tiled\.example\.org\/api/);
});

test("a SAML provider has one address to post to, and asks for metadata", () => {
  const providers = [
    { name: "orcid", posts: false },
    { name: "lab", posts: true },
  ];
  const text = notice({ publicUrl: "https://tiled.example.org", identityProviders: providers });
  const under = "https://tiled.example.org/api/v1/auth/provider";
  assert.deepEqual(text.match(/https:\S*provider\S*/g), [
    `${under}/orcid/code`,
    `${under}/orcid/device_code`,
    `${under}/lab/code`,
    `${under}/lab/metadata`,
  ]);
  assert.match(text, /Assertion consumer services/);
});
