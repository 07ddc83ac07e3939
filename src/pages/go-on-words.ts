/** Actions that continue after a second login, by the form's path below `/account`, with their texts. */
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
<dt>Expires</dt><dd>${LIFETIMES[fields["lifetime"] ?? ""]?.text ?? "in 30 days"}</dd>
<dt>Permissions</dt><dd class="chips">${scopesOf(fields)}</dd>
</dl>`,
    button: "Create key",
    danger: false,
  },
  "keys/revoke": {
    title: "Revoke the key?",
    text: (fields) =>
      html`<p>Programs that use the key <code>${fields["first_eight"] ?? ""}…</code> will be refused.</p>`,
    button: "Revoke the key",
    danger: true,
  },
  "sessions/end": {
    title: "End that session?",
    text: () => html`<p>The browser or program that you chose has to log in again.</p>`,
    button: "Log out",
    danger: true,
  },
  "sessions/end-others": {
    title: "Log out everywhere else?",
    text: () => html`<p>Every other browser and program has to log in again. API keys keep working.</p>`,
    button: "Log out everywhere else",
    danger: true,
  },
  "identities/remove": {
    title: "Remove the identity?",
    text: (fields) =>
      html`<p><strong>${fields["id"] ?? ""}</strong> of ${fields["provider"] ?? ""} will no longer open this account, and its sessions are logged out.</p>`,
    button: "Remove it",
    danger: true,
  },
} as const satisfies Readonly<Record<string, Words>>;

export function isAccountAction(text: string): text is AccountAction {
  return Object.hasOwn(WORDS, text);
}

function scopesOf(fields: Fields): Html | Html[] {
  if ("inherit" in fields) return html`all your permissions, now and in future`;
  return Object.keys(fields).flatMap((name) =>
    name.startsWith("scope ") ? [html`<code>${name.slice("scope ".length)}</code> `] : [],
  );
}
