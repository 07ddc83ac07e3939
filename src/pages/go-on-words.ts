/** What can be gone on with after a second login: the form's path below `/account`, and how it is told. */
import { type Html, html } from "../lib/html.ts";
import { LIFETIMES } from "./account-keys.ts";

export type AccountAction = keyof typeof WORDS;
type Fields = Readonly<Record<string, string>>;

interface Words {
  readonly title: string;
  readonly text: (fields: Fields) => Html;
  readonly button: string;
  readonly danger: boolean;
}

export const WORDS = {
  keys: {
    title: "Create this key?",
    text: (fields) => html`<dl class="facts">
<dt>For</dt><dd>${fields["note"] || "no note"}</dd>
<dt>Expires in</dt><dd>${LIFETIMES[fields["lifetime"] ?? ""]?.text ?? "30 days"}</dd>
<dt>Permissions</dt><dd class="chips">${scopesOf(fields)}</dd>
</dl>`,
    button: "Create key",
    danger: false,
  },
  "keys/revoke": {
    title: "Revoke the key?",
    text: (fields) =>
      html`<p>Programs that use the key <code>${fields["first_eight"] ?? ""}…</code> are refused from then on.</p>`,
    button: "Revoke the key",
    danger: true,
  },
  "sessions/end": {
    title: "End that login?",
    text: () => html`<p>The browser or program whose login you have chosen has to log in again.</p>`,
    button: "Log it out",
    danger: true,
  },
  "sessions/end-others": {
    title: "Log out everywhere else?",
    text: () =>
      html`<p>All browsers and programs but this browser have to log in again. API keys go on working.</p>`,
    button: "Log out everywhere else",
    danger: true,
  },
  "identities/remove": {
    title: "Remove the identity?",
    text: (fields) =>
      html`<p><strong>${fields["id"] ?? ""}</strong> of ${fields["provider"] ?? ""} no longer opens this account, and what was logged in with it is logged out.</p>`,
    button: "Remove it",
    danger: true,
  },
} as const satisfies Readonly<Record<string, Words>>;

export function isAccountAction(text: string): text is AccountAction {
  return Object.hasOwn(WORDS, text);
}

function scopesOf(fields: Fields): Html | Html[] {
  if ("inherit" in fields) return html`do all that you may do, now and later`;
  return Object.keys(fields).flatMap((name) =>
    name.startsWith("scope ") ? [html`<code>${name.slice("scope ".length)}</code> `] : [],
  );
}
