/**
 * The tokens page of CAVE: the person's API tokens, each with a form that revokes it, and a form that creates one.
 * `new-token.ts` shows a new token.
 */
import { type Html, html } from "../../lib/html.ts";
import { page, type Site } from "../layout.ts";
import { day, past } from "../times.ts";

export interface ListedToken {
  readonly id: number;
  readonly firstEight: string;
  readonly description: string | null;
  readonly created: Date;
  readonly lastUsed: Date | null;
  readonly expirationTime: Date | null;
}

export interface TokensPage {
  readonly site: Site;
  readonly basePath: string;
  /** Where the forms post to. */
  readonly action: string;
  /** Against forgery; a hidden field of every form. */
  readonly csrf: Html;
  /** Milliseconds. */
  readonly now: number;
  /** Whose tokens they are. */
  readonly name: string;
  readonly provider: string;
  /** Newest first. */
  readonly tokens: readonly ListedToken[];
  /** Marks what this page lists, so that a form that is sent twice is noticed. */
  readonly known: string;
  readonly notice: TokenNotice | null;
  /** Of the form that creates a token, which shows the description again. */
  readonly problem: { readonly kind: TokenProblem; readonly description: string } | null;
}

export const TOKEN_NOTICES = {
  revoked:
    "The token is revoked. This server refuses it from now on; a service may remember it for five more minutes.",
  gone: "You have no such token. Nothing was changed.",
} as const;

export type TokenNotice = keyof typeof TOKEN_NOTICES;

export const LONGEST_DESCRIPTION = 120;

const TOKEN_PROBLEMS = {
  long: `A description has at most ${LONGEST_DESCRIPTION} characters.`,
  unusable: "The description contains a character that cannot be stored.",
  limit: "You have as many tokens and keys as this server allows. Revoke one first.",
  repeated:
    "This form was sent a second time, so no other token was created. A token is shown only once: if you have not copied the first one, revoke it below and create another.",
} as const;

export type TokenProblem = keyof typeof TOKEN_PROBLEMS;

export function tokensPage(at: TokensPage): Html {
  const { name, provider, notice, action, csrf } = at;
  return page({
    ...at,
    title: "Your CAVE tokens",
    main: html`<div class="heading">
<div>
<h1>Your CAVE tokens</h1>
<p class="lede">You are logged in as <strong>${name}</strong> with ${provider}.</p>
</div>
<form method="post" action="${action}">${csrf}<input type="hidden" name="logout" value="1"><button class="second" type="submit">Log out</button></form>
</div>
${notice !== null && html`<p class="notice" role="status">${TOKEN_NOTICES[notice]}</p>`}
${creation(at)}
${list(at)}`,
  });
}

function creation({ action, csrf, known, problem }: TokensPage): Html {
  const described = problem === null ? "description-hint" : "description-problem description-hint";
  const isInvalid = problem?.kind === "long" || problem?.kind === "unusable";
  return html`<section aria-labelledby="create">
<h2 id="create">Create a token</h2>
<p>With a token, a program such as caveclient or CloudVolume works as you. Opening this page creates no token; the button does. The tokens that you have stay valid.</p>
<form method="post" action="${action}">${csrf}
<input type="hidden" name="known" value="${known}">
${problem !== null && html`<p class="problem" id="description-problem" role="alert">${TOKEN_PROBLEMS[problem.kind]}</p>`}
<p class="field"><label for="description">What is it for?</label>
<input type="text" id="description" name="description" value="${problem?.description}" maxlength="${LONGEST_DESCRIPTION}" autocomplete="off" aria-describedby="${described}"${isInvalid && html` aria-invalid="true"`}>
<span class="hint" id="description-hint">A note for yourself, such as the computer or program that uses it.</span></p>
<p class="buttons"><button type="submit">Create token</button></p>
</form>
</section>`;
}

function list(at: TokensPage): Html {
  const { tokens } = at;
  return html`<section aria-labelledby="tokens">
<h2 id="tokens">Your tokens</h2>
${
  tokens.length === 0
    ? html`<p class="quiet">You have no tokens.</p>`
    : html`<p>Only the start of a token is kept in readable form. If you have lost a token, revoke it and create another.</p>
<ul class="rows">
${tokens.map((token) => row(token, at))}</ul>`
}
</section>`;
}

function row(token: ListedToken, { action, csrf, now }: TokensPage): Html {
  const { id, firstEight, description, created, lastUsed, expirationTime } = token;
  return html`<li>
<div><strong>${description === null || description === "" ? "No description" : description}</strong> <code>${firstEight}…</code><p class="quiet">created ${past(created, now)} · ${lastUsed === null ? "never used" : html`used ${past(lastUsed, now)}`} · ${expirationTime === null ? "never expires" : html`until ${day(expirationTime)}`}</p></div>
<details class="act"><summary>Revoke<span class="hidden"> the token ${firstEight}</span></summary>
<form method="post" action="${action}">${csrf}<input type="hidden" name="token_id" value="${id}">
<p>Programs that use this token will be refused.</p>
<button class="danger" type="submit">Revoke ${firstEight}</button></form></details>
</li>\n`;
}
