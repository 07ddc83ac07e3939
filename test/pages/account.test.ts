/** The account pages from data alone: each view's content, and that foreign content stays text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Account, type AccountKey, accountPage } from "../../src/pages/account.ts";
import { newKeyPage } from "../../src/pages/account-keys.ts";
import { leavingPage, linkPage } from "../../src/pages/linking.ts";
import { loginPage, logoutPage, onwardPage } from "../../src/pages/login-page.ts";
import { problemPage } from "../../src/pages/problem.ts";

const SITE = { title: "Tiled", logo: null, contact: null, version: "0.1.0" };
const EVIL = `"><script>alert('1')</script>`;
const TIME = new Date("2026-01-31T12:00:00Z");

function account(changes: Partial<Account> = {}): string {
  return accountPage({
    site: SITE,
    basePath: "",
    now: TIME.getTime(),
    token: "t",
    notice: null,
    name: "alice",
    provider: "toy",
    identities: [
      {
        provider: "toy",
        id: "alice",
        name: null,
        email: null,
        latestLogin: TIME,
        current: true,
        removable: false,
      },
    ],
    providers: ["toy"],
    sessions: [],
    furtherSessions: 0,
    keys: [],
    mayRevokeKeys: true,
    keyForm: null,
    roles: [],
    caveTokensUrl: null,
    ...changes,
  }).text;
}

const SESSION = {
  uuid: "u",
  current: false,
  browser: true,
  userAgent: null,
  address: null,
  identity: null,
  startedAt: TIME,
  lastUsed: null,
  expirationTime: TIME,
};
const KEY: AccountKey = {
  firstEight: "01234567",
  note: null,
  scopes: ["inherit"],
  accessTags: null,
  expirationTime: null,
  latestActivity: null,
};

test("what is not known is left out or said", () => {
  const text = account({ sessions: [SESSION, { ...SESSION, browser: false }], keys: [KEY] });
  assert.match(text, /<strong>A browser<\/strong>/);
  assert.match(text, /<strong>A program<\/strong>/);
  assert.match(text, /<strong>No note<\/strong>/);
  assert.match(text, /all your permissions · never used · never expires/);
  assert.match(text, /You have no role on this server/);
  assert.doesNotMatch(text, /null|undefined/);
  assert.match(account(), /You have no API keys/);
});

test("what a key may do is told in words", () => {
  const powers = (changes: Partial<AccountKey>) =>
    /<p class="quiet">([^·]*) · never used/.exec(account({ keys: [{ ...KEY, ...changes }] }))?.[1];
  assert.equal(powers({ scopes: [] }), "identity only");
  assert.equal(powers({ scopes: ["read:data"], accessTags: [] }), "read:data; no tagged data");
  assert.equal(powers({ scopes: ["read:data"], accessTags: ["a", "b"] }), "read:data; only data tagged a, b");
});

test("each button says what it is about, also to who cannot see where it stands", () => {
  const text = account({
    sessions: [{ ...SESSION, userAgent: "python-tiled/1", address: "192.0.2.1" }],
    keys: [KEY],
    identities: [
      {
        provider: "orcid",
        id: "x",
        name: null,
        email: null,
        latestLogin: null,
        current: false,
        removable: true,
      },
    ],
  });
  assert.match(text, /Log out<span class="hidden"> Tiled for Python 1, 192\.0\.2\.1<\/span>/);
  assert.match(text, /Revoke<span class="hidden"> the key 01234567<\/span>/);
  assert.match(text, /Remove<span class="hidden"> x of orcid<\/span>/);
});

test("whatever others wrote is text on every page", () => {
  const site = { ...SITE, title: EVIL, contact: EVIL };
  const at = { site, basePath: "" };
  const form = {
    action: "/login",
    token: EVIL,
    provider: EVIL,
    next: EVIL,
    username: EVIL,
    problem: { kind: "wrong" },
    requestId: EVIL,
  } as const;
  const pages = [
    account({
      site,
      name: EVIL,
      provider: EVIL,
      token: EVIL,
      providers: [EVIL],
      identities: [
        {
          provider: EVIL,
          id: EVIL,
          name: null,
          email: null,
          latestLogin: null,
          current: true,
          removable: true,
        },
      ],
      sessions: [{ ...SESSION, uuid: EVIL, userAgent: EVIL, address: EVIL, identity: EVIL }],
      keys: [{ ...KEY, firstEight: EVIL, note: EVIL, scopes: [EVIL], accessTags: [EVIL] }],
      keyForm: { scopes: [EVIL], problem: EVIL, note: EVIL, cave: true },
      roles: [{ name: EVIL, scopes: [EVIL] }],
      caveTokensUrl: EVIL,
    }),
    newKeyPage({ ...at, baseUrl: EVIL, secret: EVIL, note: EVIL, expirationTime: null, scopes: [EVIL] }).text,
    linkPage({ ...at, name: EVIL, ownProvider: EVIL, provider: EVIL, form, action: EVIL, token: EVIL }).text,
    leavingPage({ ...at, provider: EVIL, href: EVIL }).text,
    loginPage({ ...at, form, choices: [{ name: EVIL, href: EVIL }], destination: EVIL, again: EVIL }).text,
    loginPage({ ...at, form: null, choices: [], destination: EVIL, again: null }).text,
    logoutPage({ ...at, person: { name: EVIL, action: EVIL, token: EVIL } }).text,
    onwardPage({ ...at, name: EVIL, href: EVIL, destination: EVIL }).text,
    problemPage({ ...at, code: "not_found", status: 404, requestId: EVIL, accounts: true }).text,
  ];
  for (const [index, text] of pages.entries()) {
    assert.doesNotMatch(text, /<script|alert\('/, String(index));
    assert.ok(text.includes("&lt;script&gt;"), String(index));
  }
});

test("no page needs a script or a style of its own, or anything from elsewhere", () => {
  const pages = [
    account({
      keyForm: { scopes: ["read:data"], problem: "x", note: "", cave: true },
      keys: [KEY],
      sessions: [SESSION],
    }),
    newKeyPage({
      site: SITE,
      basePath: "",
      baseUrl: "http://x",
      secret: "s",
      note: "n",
      expirationTime: TIME,
      scopes: ["read:data"],
    }).text,
  ];
  for (const text of pages) {
    assert.doesNotMatch(text, /<script|<style|style=| on\w+=|javascript:|(?:src|href)="(?:https?:)?\/\//i);
  }
});

test("with CAVE, its tokens have their name, their page and their box", () => {
  const tokensUrl = "https://cave.example.org/sticky_auth/settings/tokens";
  const keyForm = { scopes: ["read:data"], problem: null, note: "", cave: true };
  const keys = [
    { ...KEY, scopes: ["cave"] },
    { ...KEY, scopes: ["cave", "read:data"] },
  ];
  const text = account({ caveTokensUrl: tokensUrl, keyForm, keys });
  assert.match(text, /CAVE token · never used/);
  assert.match(text, /cave, read:data · never used/);
  assert.ok(text.includes(`<a href="${tokensUrl}">your CAVE tokens</a>`));
  assert.match(text, /<input type="checkbox" name="scope cave" value="1">/);
});

test("without CAVE, the account does not name it", () => {
  const keyForm = { scopes: ["read:data"], problem: null, note: "", cave: false };
  assert.doesNotMatch(account({ keyForm, keys: [KEY] }), /cave/i);
});

test("a new key is shown with what it opens", () => {
  const show = (scopes: readonly string[]) =>
    newKeyPage({
      site: SITE,
      basePath: "",
      baseUrl: "https://x.example",
      secret: "s",
      note: null,
      expirationTime: null,
      scopes,
    }).text;
  assert.match(show(["read:data"]), /from_uri/);
  assert.doesNotMatch(show(["read:data"]), /save_token/);
  assert.match(show(["cave"]), /save_token/);
  assert.doesNotMatch(show(["cave"]), /from_uri/);
  assert.match(show(["cave", "read:data"]), /from_uri.*save_token/s);
});

test("people are shown by the name and address that their provider gave, beside their id", () => {
  const named = { name: "Ada <L.>", email: "ada@lab.org" };
  const own = {
    provider: "orcid",
    id: "0000-0001",
    ...named,
    latestLogin: null,
    current: true,
    removable: false,
  };
  const shown = account({ name: "0000-0001", provider: "orcid", identities: [own] });
  assert.match(
    shown,
    /logged in as <strong>Ada &lt;L\.&gt;<\/strong> \(0000-0001, ada@lab\.org\) with orcid/,
  );
  assert.match(shown, /orcid · Ada &lt;L\.&gt; · ada@lab\.org · never used/);
});
