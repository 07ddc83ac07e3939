/**
 * The account page: identities, sessions, API keys and permissions of the person who is logged in. Destructive actions ask
 * for confirmation without a script: the button is inside a `<details>` that has to be opened first.
 */
import { type Html, html } from "../lib/html.ts";
import { type KeyForm, keyForm } from "./account-keys.ts";
import { labelOf, page, type Site } from "./layout.ts";
import { programName } from "./program.ts";
import { day, past } from "./times.ts";

interface AccountIdentity {
  readonly provider: string;
  readonly id: string;
  /** As the provider gave them. */
  readonly name: string | null;
  readonly email: string | null;
  readonly latestLogin: Date | null;
  /** It opened this browser's session. */
  readonly current: boolean;
  readonly removable: boolean;
}

interface AccountSessionRow {
  readonly uuid: string;
  readonly current: boolean;
  readonly browser: boolean;
  readonly userAgent: string | null;
  readonly address: string | null;
  readonly identity: string | null;
  readonly startedAt: Date;
  readonly lastUsed: Date | null;
  readonly expirationTime: Date;
}

export interface AccountKey {
  readonly firstEight: string;
  readonly note: string | null;
  readonly scopes: readonly string[];
  readonly accessTags: readonly string[] | null;
  readonly expirationTime: Date | null;
  readonly latestActivity: Date | null;
}

export interface Account {
  readonly site: Site;
  readonly basePath: string;
  /** Milliseconds. */
  readonly now: number;
  readonly token: string;
  readonly notice: Notice | null;
  readonly name: string;
  readonly provider: string;
  readonly identities: readonly AccountIdentity[];
  /** Providers whose identities can be added. */
  readonly providers: readonly string[];
  readonly sessions: readonly AccountSessionRow[];
  /** How many sessions are left out of the list. */
  readonly furtherSessions: number;
  readonly keys: readonly AccountKey[];
  readonly mayRevokeKeys: boolean;
  /** Null: this person may not create keys. */
  readonly keyForm: KeyForm | null;
  readonly roles: readonly { readonly name: string; readonly scopes: readonly string[] }[];
  /** The page of the person's CAVE tokens; null if the server does not speak CAVE. */
  readonly caveTokensUrl: string | null;
}

/** Outcome of the last request. The list is closed, so that no URL can put other text on the page. */
export const NOTICES = {
  "session-ended": "That session is logged out.",
  "session-gone": "That session had already ended.",
  "others-ended": "You are logged out everywhere else.",
  "key-revoked": "The key is revoked. Programs that use it are refused from now on.",
  "key-gone": "That key no longer exists.",
  "identity-added": "The identity is added. You can now log in with it, too.",
  "identity-known": "You can already log in to this account with that identity.",
  "identity-removed": "The identity is removed, and its sessions are logged out.",
  "identity-gone": "Your account has no such identity.",
  "identity-last": "That is the only identity you can log in with. Add another one first.",
  "too-many-identities": "An account has at most ten identities. Remove one first.",
} as const;

export type Notice = keyof typeof NOTICES;

export function accountPage(account: Account): Html {
  const { site, basePath, provider, token, notice } = account;
  return page({
    site,
    basePath,
    title: "Your account",
    main: html`<div class="heading">
<div>
<h1>Your account</h1>
<p class="lede">You are logged in as ${personShown(account)} with ${labelOf(site, provider)}.</p>
</div>
<form method="post" action="${basePath}/logout">${hidden(token)}<button class="second" type="submit">Log out</button></form>
</div>
${notice !== null && html`<p class="notice" role="status">${NOTICES[notice]}</p>`}
${identities(account)}
${sessions(account)}
${keys(account)}
${roles(account)}`,
  });
}

/** By the name that the provider gave, and the id, which alone tells people apart. */
function personShown({ name: id, identities: list }: Account): Html {
  const { name = null, email = null } = list.find(({ current }) => current) ?? {};
  const more = [...(name === null ? [] : [id]), ...(email === null || email === id ? [] : [email])];
  return html`<strong>${name ?? id}</strong>${more.length > 0 && ` (${more.join(", ")})`}`;
}

function hidden(token: string, fields: Readonly<Record<string, string>> = {}): Html {
  return html`${Object.entries({ token, ...fields }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`;
}

function identities({ site, basePath, token, identities: list, providers, now }: Account): Html {
  return html`<section aria-labelledby="identities">
<h2 id="identities">Ways to log in</h2>
<ul class="rows">
${list.map(
  ({ provider, id, name, email, latestLogin, current, removable }) => html`<li>
<div><strong>${id}</strong>${current && html` <span class="badge">in use</span>`}<p class="quiet">${labelOf(site, provider)} · ${[name, email].map((told) => told !== null && `${told} · `)}${latestLogin === null ? "never used" : html`last login ${past(latestLogin, now)}`}</p></div>
${
  removable &&
  html`<details class="act"><summary>Remove<span class="hidden"> ${id} of ${labelOf(site, provider)}</span></summary>
<form method="post" action="${basePath}/account/identities/remove">${hidden(token, { provider, id })}
<p>You can no longer log in with it, and its sessions are logged out${current && ", including this browser"}.</p>
<button class="danger" type="submit">Remove ${id}</button></form></details>`
}
</li>\n`,
)}</ul>
<p>Add another way to log in to this account:</p>
<ul class="choices">
${providers.map(
  (name) =>
    html`<li><a class="button second small" href="${basePath}/account/identities/add/${encodeURIComponent(name)}"><span class="hidden">Add an identity of </span>${labelOf(site, name)}</a></li>\n`,
)}</ul>
</section>`;
}

function sessions(account: Account): Html {
  const { basePath, token, sessions: list, furtherSessions, now } = account;
  return html`<section aria-labelledby="sessions">
<h2 id="sessions">Where you are logged in</h2>
<ul class="rows">
${list.map((session) => {
  const name = sessionName(session);
  return html`<li>
<div><strong>${name}</strong>${session.current && html` <span class="badge">this browser</span>`}<p class="quiet">${sessionFacts(session, now)}</p></div>
${
  !session.current &&
  html`<form class="act" method="post" action="${basePath}/account/sessions/end">${hidden(token, { session: session.uuid })}<button class="second small" type="submit">Log out<span class="hidden"> ${name}, ${session.address ?? "address unknown"}</span></button></form>`
}
</li>\n`;
})}</ul>
${furtherSessions > 0 && html`<p class="quiet">… and ${furtherSessions} more that were used less recently.</p>`}
${
  list.length > 1 &&
  html`<details class="act"><summary>Log out everywhere else</summary>
<form method="post" action="${basePath}/account/sessions/end-others">${hidden(token)}
<p>Every other browser and program has to log in again. API keys keep working.</p>
<button class="danger" type="submit">Log out everywhere else</button></form></details>`
}
</section>`;
}

function sessionName({ browser, userAgent }: AccountSessionRow): string {
  return programName(userAgent) ?? (browser ? "A browser" : "A program");
}

function sessionFacts(session: AccountSessionRow, now: number): Html {
  const { address, identity, startedAt, lastUsed, expirationTime } = session;
  return html`${address !== null && html`${address} · `}${identity !== null && html`as ${identity} · `}logged in ${past(startedAt, now)}${lastUsed !== null && html` · used ${past(lastUsed, now)}`} · until ${day(expirationTime)}`;
}

function keys(account: Account): Html {
  const { basePath, token, keys: list, mayRevokeKeys, now, caveTokensUrl } = account;
  return html`<section aria-labelledby="keys">
<h2 id="keys">API keys</h2>
<p>A key lets a program in without a login. Anyone who has it can use its permissions, so keep it as safe as a password.</p>
${caveTokensUrl !== null && html`<p>Tokens for caveclient and CloudVolume are keys, too. Create them on the page of <a href="${caveTokensUrl}">your CAVE tokens</a>.</p>\n`}${
  list.length === 0
    ? html`<p class="quiet">You have no API keys.</p>`
    : html`<ul class="rows">
${list.map((key) => keyRow(key, { basePath, token, now, revocable: mayRevokeKeys }))}</ul>`
}
${account.keyForm !== null && keyForm(account.keyForm, { basePath, token })}
</section>`;
}

function keyRow(
  key: AccountKey,
  at: {
    readonly basePath: string;
    readonly token: string;
    readonly now: number;
    readonly revocable: boolean;
  },
): Html {
  const { firstEight, note, expirationTime, latestActivity } = key;
  const { basePath, token, now, revocable } = at;
  return html`<li>
<div><strong>${note === null || note === "" ? "No note" : note}</strong> <code>${firstEight}…</code><p class="quiet">${powers(key)} · ${latestActivity === null ? "never used" : html`used ${past(latestActivity, now)}`} · ${expirationTime === null ? "never expires" : html`until ${day(expirationTime)}`}</p></div>
${
  revocable &&
  html`<details class="act"><summary>Revoke<span class="hidden"> the key ${firstEight}</span></summary>
<form method="post" action="${basePath}/account/keys/revoke">${hidden(token, { first_eight: firstEight })}
<p>Programs that use this key will be refused.</p>
<button class="danger" type="submit">Revoke ${firstEight}</button></form></details>`
}
</li>\n`;
}

function powers({ scopes, accessTags }: AccountKey): string {
  const what = scopes.includes("inherit")
    ? "all your permissions"
    : scopes.length === 0
      ? "identity only"
      : isCaveToken(scopes)
        ? "CAVE token"
        : scopes.join(", ");
  if (accessTags === null) return what;
  return `${what}; ${accessTags.length === 0 ? "no tagged data" : `only data tagged ${accessTags.join(", ")}`}`;
}

function isCaveToken(scopes: readonly string[]): boolean {
  return scopes.length === 1 && scopes[0] === "cave";
}

function roles({ roles: list }: Account): Html {
  return html`<section aria-labelledby="roles">
<h2 id="roles">Your permissions</h2>
${
  list.length === 0
    ? html`<p class="quiet">You have no role on this server. Ask the operator.</p>`
    : html`<dl class="facts">
${list.map(({ name, scopes }) => html`<dt>${name}</dt><dd class="chips">${scopes.map((scope) => html`<code>${scope}</code> `)}</dd>\n`)}</dl>`
}
</section>`;
}
