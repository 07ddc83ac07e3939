/** Which addresses are handed a token: open redirects are refused in any spelling, and the rest of an address stays as it was. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRedirect, withToken } from "../../../src/http/cave/redirects.ts";
import { CaveLinks } from "../../../src/http/cave/server-address.ts";

const LINKS = new CaveLinks("https://cave.example.org");
const ORIGINS = ["https://ng.example.org", "https://pcg.example.org:8443", "http://localhost:8080"];
const ALLOWED = { allowsOrigin: (origin: string) => ORIGINS.includes(origin) };
const TOKEN = "0123456789abcdef0123456789abcdef";

function read(given: unknown, links = LINKS) {
  return readRedirect(given, links, ALLOWED);
}

/** The address with a token, as the browser gets it. */
function handed(given: string, links = LINKS): string {
  const redirect = read(given, links);
  assert.equal(redirect.kind, "handed", given);
  return "url" in redirect ? withToken(redirect.url, TOKEN, links) : "";
}

const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  "another origin": [
    "https://evil.example/",
    "https://ng.example.org.evil.example/",
    "https://evil.example/https://ng.example.org",
    "https://evilng.example.org/",
    "https://sub.ng.example.org/",
    "https://example.org/",
  ],
  "another port or scheme": [
    "https://ng.example.org:8443/",
    "https://pcg.example.org/",
    "https://ng.example.org:80/",
    "http://ng.example.org/",
    "http://ng.example.org:443/",
    "https://localhost:8080/",
    "http://localhost:80801/",
    "ftp://ng.example.org/",
    "ws://ng.example.org/",
  ],
  "no http address": [
    "javascript:alert(1)",
    "javascript://ng.example.org/%0aalert(1)",
    "data:text/html,x",
    "blob:https://ng.example.org/0a",
    "file:///etc/passwd",
    "about:blank",
    "view-source:https://ng.example.org/",
    "x",
    "",
  ],
  "a relative address": [
    "/",
    "/sticky_auth/settings/tokens",
    "//ng.example.org/",
    "///ng.example.org/",
    "ng.example.org/",
    "?a=1",
    "#a",
    "https:ng.example.org/",
    "https:/ng.example.org/",
    "https:///ng.example.org/",
    "https:",
    "https://",
    "://ng.example.org",
  ],
  "more than one": [["https://ng.example.org/", "https://ng.example.org/"], [], {}, 1, null, true],
  "user info": [
    "https://evil.example@ng.example.org/",
    "https://ng.example.org@evil.example/",
    "https://ng.example.org:443@evil.example/",
    "https://@ng.example.org/",
    "https://:@ng.example.org/",
    "https://user:password@ng.example.org/",
  ],
  "backslashes, control characters and spaces": [
    "https:\\\\ng.example.org\\",
    "https://ng.example.org\\@evil.example/",
    "https://evil.example\\.ng.example.org/",
    "https://ng.example.org/\\",
    "https://ng.example.org/\tx",
    "\thttps://ng.example.org/",
    "https://ng.example.org/\n",
    "ht\ntps://ng.example.org/",
    "https://ng.example.org/\r\nSet-Cookie: a=b",
    "https://ng.example.org/\0",
    "https://ng.example.org/\u007f",
    "https://ng.example.org/\u0085",
    " https://ng.example.org/",
    "https://ng.example.org/ ",
    "https://ng.example.org/a b",
    "https://ng.example.org/\u00a0",
    "https://ng.example.org/\u2028",
  ],
  "hosts in other spellings": [
    "https://ng%2eexample.org/",
    "https://%6eg.example.org/",
    "https://ng.example.org%2f@evil.example/",
    "https://ng.example.org%00.evil.example/",
    "https://ng.example.org./",
    "https://ng.example.org.:443/",
    "https://ng\u3002example.org/",
    "https://\uff4eg.example.org/",
    "https://ng.example.org\uff0fevil.example/",
    "https://n\u00adg.example.org/",
    "https://\u0578g.example.org/",
    "https://xn--g-xbe.example.org/",
    "http://0x7f.1:8080/",
    "http://2130706433:8080/",
    "http://127.0.0.1:8080/",
    "http://[::1]:8080/",
    "https://ng.example.org:0443/",
    "https://ng.example.org:/",
    "https://[ng.example.org]/",
    "https%3A%2F%2Fng.example.org%2F",
    "https://*.example.org/",
  ],
  "more than 4096 bytes": [
    `https://ng.example.org/${"x".repeat(4074)}`,
    `https://ng.example.org/${"é".repeat(2037)}`,
    `https://ng.example.org/${"é".repeat(680)}`,
  ],
};

describe("refused, whatever else is right:", () => {
  for (const [what, addresses] of Object.entries(REFUSED)) {
    test(what, () => {
      for (const address of addresses) {
        assert.deepEqual(read(address), { kind: "refused" }, JSON.stringify(address)?.slice(0, 80));
      }
    });
  }
});

test("without the parameter there is nothing to decide", () => {
  assert.deepEqual(read(undefined), { kind: "none" });
});

test("an allowed origin, and the server's own, are handed a token", () => {
  const parameters = `middle_auth_token=${TOKEN}&token=${TOKEN}&middle_auth_url=cave.example.org%2Fsticky_auth`;
  assert.equal(handed("https://ng.example.org"), `https://ng.example.org/?${parameters}`);
  assert.equal(handed("https://ng.example.org/v/"), `https://ng.example.org/v/?${parameters}`);
  assert.equal(handed("https://pcg.example.org:8443/a"), `https://pcg.example.org:8443/a?${parameters}`);
  assert.equal(handed("http://localhost:8080/a"), `http://localhost:8080/a?${parameters}`);
  assert.equal(
    handed("https://cave.example.org/annotation/"),
    `https://cave.example.org/annotation/?${parameters}`,
  );
  assert.equal(read(`https://ng.example.org/${"x".repeat(4073)}`).kind, "handed");
});

test("the same origin in capitals or with its default port is written as it was parsed", () => {
  assert.ok(handed("HTTPS://NG.Example.ORG/Path").startsWith("https://ng.example.org/Path?"));
  assert.ok(handed("https://ng.example.org:443/").startsWith("https://ng.example.org/?"));
  assert.ok(handed("https://ng.example.org/a/../b/%2e%2e/c").startsWith("https://ng.example.org/c?"));
});

test("the query stays byte for byte, except for the parameters that are set", () => {
  const query = "?flag&a=b/c%2Fd+e%20f&list=1&list=2&q=%C3%A9";
  assert.ok(handed(`https://ng.example.org/${query}`).startsWith(`https://ng.example.org/${query}&middle`));
  const old = "middle_auth_token=old&token=old&token=older&middle_auth_url=evil.example&middle_auth_token=x";
  const encoded = "%74oken=old&middle%5Fauth_token=old&mid%64le_auth_url=evil";
  for (const given of [`?a=1&${old}&b=2`, `?${old}&a=1&b=2&${encoded}`, `?a=1&b=2&token`]) {
    const { searchParams } = new URL(handed(`https://ng.example.org/x${given}`));
    assert.deepEqual(
      [...searchParams],
      [
        ["a", "1"],
        ["b", "2"],
        ["middle_auth_token", TOKEN],
        ["token", TOKEN],
        ["middle_auth_url", "cave.example.org/sticky_auth"],
      ],
    );
  }
  assert.deepEqual([...new URL(handed(`https://ng.example.org/?${old}`)).searchParams.keys()].length, 3);
});

test("a fragment stays behind the parameters, so that a viewer finds its state", () => {
  const { search, hash } = new URL(handed("https://ng.example.org/?a=1#!{%22layers%22:[]}?token=x"));
  assert.ok(search.startsWith("?a=1&middle_auth_token="));
  assert.equal(hash, "#!{%22layers%22:[]}?token=x");
});

test("a path in another script is encoded", () => {
  assert.ok(
    handed("https://ng.example.org/größe?q=é").startsWith("https://ng.example.org/gr%C3%B6%C3%9Fe?q=%C3%A9&"),
  );
});

test("a page of ours needs no token", () => {
  const own = (address: string, links = LINKS) => read(address, links).kind;
  assert.equal(own("https://cave.example.org/sticky_auth/settings/tokens"), "own");
  assert.equal(own("https://cave.example.org/sticky_auth"), "own");
  assert.equal(own("https://cave.example.org/sticky_auth/api/v1/tos/2/accept?client=ng"), "own");
  assert.equal(own("https://cave.example.org/sticky_authority/"), "handed");
  assert.equal(own("https://cave.example.org/sticky_auth/../annotation"), "handed");
  assert.equal(own("https://ng.example.org/sticky_auth/settings/tokens"), "handed");
  assert.equal(own("http://cave.example.org/sticky_auth/settings/tokens"), "refused");
  const below = new CaveLinks("https://example.org/cave/");
  assert.equal(own("https://example.org/cave/sticky_auth/settings/tokens", below), "own");
  assert.equal(own("https://example.org/sticky_auth/settings/tokens", below), "handed");
});

test("all our addresses come from the configured one", () => {
  const links = new CaveLinks("https://Example.org:443/cave/");
  assert.equal(links.base, "https://example.org/cave");
  assert.equal(links.origin, "https://example.org");
  assert.equal(links.stickyPath, "/cave/sticky_auth");
  assert.equal(links.authUrl, "example.org/cave/sticky_auth");
  assert.equal(links.tokensPage, "https://example.org/cave/sticky_auth/settings/tokens");
  assert.equal(links.tos(2), "https://example.org/cave/sticky_auth/api/v1/tos/2/accept");
  assert.equal(links.authorize(), "https://example.org/cave/sticky_auth/api/v1/authorize");
  assert.equal(
    links.authorize("https://a.example/?b=c"),
    "https://example.org/cave/sticky_auth/api/v1/authorize?redirect=https%3A%2F%2Fa.example%2F%3Fb%3Dc",
  );
  assert.equal(links.isHttps, true);
  assert.equal(new CaveLinks("http://localhost:5000").authUrl, "localhost:5000/sticky_auth");
});
