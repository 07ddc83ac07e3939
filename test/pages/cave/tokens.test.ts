/** The pages of CAVE's tokens from data alone: each view's content, its forms, and that foreign content stays text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../../src/lib/html.ts";
import { COPY_ASSET } from "../../../src/pages/cave/copy.ts";
import { newTokenPage } from "../../../src/pages/cave/new-token.ts";
import { type ListedToken, type TokensPage, tokensPage } from "../../../src/pages/cave/tokens.ts";

const SITE = { title: "Connectome", logo: null, contact: null, version: "0.1.0" };
const EVIL = `"><script>alert('1')</script>`;
const TIME = new Date("2026-01-31T12:00:00Z");
const TOKEN: ListedToken = {
  id: 0x0123_4567,
  firstEight: "01234567",
  description: "My laptop",
  created: TIME,
  lastUsed: null,
  expirationTime: null,
};

function tokens(changes: Partial<TokensPage> = {}): string {
  return tokensPage({
    site: SITE,
    basePath: "",
    action: "/sticky_auth/settings/tokens",
    csrf: html`<input type="hidden" name="csrf" value="c">`,
    now: TIME.getTime(),
    name: "alice",
    provider: "toy",
    tokens: [],
    known: "",
    notice: null,
    problem: null,
    ...changes,
  }).text;
}

function made(changes: Partial<Parameters<typeof newTokenPage>[0]> = {}): string {
  return newTokenPage({
    site: SITE,
    basePath: "",
    tokensHref: "/sticky_auth/settings/tokens",
    serverAddress: "https://cave.example.org",
    token: "00112233445566778899aabbccddeeff",
    description: null,
    ...changes,
  }).text;
}

test("the page says that opening it creates no token", () => {
  assert.match(tokens(), /Opening this page creates no token; the button does\./);
});

test("without tokens the page says so", () => {
  assert.match(tokens(), /You have no tokens\./);
});

test("a token is listed with its start, description and dates, and can be revoked", () => {
  const text = tokens({ tokens: [TOKEN] });
  assert.match(text, /<strong>My laptop<\/strong> <code>01234567…<\/code>/);
  assert.match(text, /created <time[^>]*>less than a minute ago<\/time> · never used · never expires/);
  assert.match(text, /<input type="hidden" name="token_id" value="19088743">/);
});

test("use, expiry and a missing description are told in words", () => {
  const row = { ...TOKEN, description: null, lastUsed: TIME, expirationTime: TIME };
  const text = tokens({ tokens: [row], now: TIME.getTime() + 3_600_000 });
  assert.match(text, /<strong>No description<\/strong>/);
  assert.match(text, /used <time[^>]*>1 hour ago<\/time> · until <time[^>]*>31 January 2026<\/time>/);
});

test("every form posts, and carries the field against forgery", () => {
  const forms = tokens({ tokens: [TOKEN, { ...TOKEN, id: 7 }] }).match(/<form.*?<\/form>/gs) ?? [];
  assert.equal(forms.length, 4);
  for (const form of forms)
    assert.match(form, /^<form method="post" action="[^"]+">.*name="csrf" value="c"/s);
});

test("a notice and a problem are announced, and the description is kept", () => {
  const text = tokens({ notice: "revoked", problem: { kind: "limit", description: "My laptop" } });
  assert.match(text, /role="status">The token is revoked\./);
  assert.match(text, /role="alert">You have as many tokens and keys as this server allows\./);
  assert.match(text, /name="description" value="My laptop"/);
});

test("the description is marked only if it is invalid", () => {
  const show = (kind: "long" | "unusable" | "limit" | "repeated") =>
    tokens({ problem: { kind, description: "My laptop" } });
  for (const kind of ["long", "unusable"] as const) assert.match(show(kind), /aria-invalid="true"/);
  for (const kind of ["limit", "repeated"] as const) assert.doesNotMatch(show(kind), /aria-invalid/);
});

test("a new token is shown in the element that programs look for, with the lines to paste", () => {
  const text = made();
  assert.match(text, /<code id="token">00112233445566778899aabbccddeeff<\/code>/);
  assert.match(text, /CAVEclient\(server_address=&quot;https:\/\/cave\.example\.org&quot;\)/);
  const saving = "client.auth.save_token(token=&quot;00112233445566778899aabbccddeeff&quot;";
  assert.ok(text.includes(`${saving})`));
  assert.ok(text.includes(`${saving}, overwrite=True)`));
});

test("the copy button is hidden until its script runs", () => {
  const text = made({ basePath: "/sticky_auth" });
  assert.match(text, /<button type="button" id="copy" hidden>/);
  assert.ok(text.includes(`<script src="/sticky_auth${COPY_ASSET.path}"></script>`));
});

test("descriptions and names stay text", () => {
  const pages = [
    tokens({ name: EVIL, provider: EVIL, known: EVIL, tokens: [{ ...TOKEN, description: EVIL }] }),
    tokens({ problem: { kind: "unusable", description: EVIL } }),
    made({ description: EVIL, serverAddress: EVIL }),
  ];
  for (const text of pages) assert.ok(!text.includes("<script>"), text);
});
