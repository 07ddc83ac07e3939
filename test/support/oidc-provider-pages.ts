/**
 * What the provider of `oidc-provider.ts` asks people: a form to log in, a question for consent; and who they are.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type Provider from "oidc-provider";
import type { Interaction } from "oidc-provider";
import { html } from "../../src/lib/html.ts";

export interface Account {
  /** The `sub`. */
  readonly id: string;
  /** For the form. */
  readonly username: string;
  readonly password: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

export const ADA: Account = {
  id: "0000-0002-1825-0097",
  username: "ada",
  password: "lovelace",
  claims: { name: "Ada Lovelace", preferred_username: "ada" },
};
/** Google's subjects are digits, in a text. */
export const GRACE: Account = {
  id: "104729364550912345678",
  username: "grace",
  password: "hopper",
  claims: { name: "Grace Hopper", email: "grace@lab.example", email_verified: true },
};

export interface People {
  readonly accounts: readonly Account[];
  /** The subject of an account that is logged in already: no form is shown. */
  readonly loggedInAs: string | null;
  /** Whether a person is asked whether the client may know them. */
  readonly consent: boolean;
}

/** What a person is asked, and their answer. */
export async function interact(
  provider: Provider,
  { accounts, loggedInAs, consent }: People,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response);
  const finish = (result: Record<string, unknown>) =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  const form = new URLSearchParams(request.method === "POST" ? await read(request) : "");
  if (form.get("answer") === "no") {
    return finish({ error: "access_denied", error_description: "The person said no." });
  }
  if (interaction.prompt.name === "login") {
    const account = accounts.find(
      ({ id, username, password }) =>
        id === loggedInAs || (username === form.get("username") && password === form.get("password")),
    );
    if (account === undefined) return page(response, loginForm(request.method === "POST"));
    return finish({ login: { accountId: account.id } });
  }
  if (consent && request.method !== "POST") return page(response, consentForm(interaction));
  return finish({ consent: { grantId: await grant(provider, interaction) } });
}

interface Missing {
  readonly missingOIDCScope?: readonly string[];
  readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>;
}

async function grant(provider: Provider, { grantId, params, prompt, session }: Interaction): Promise<string> {
  const found = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const given =
    found ??
    new provider.Grant({
      accountId: session?.accountId ?? "",
      clientId: String(params["client_id"]),
    });
  const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details as Missing;
  given.addOIDCScope(missingOIDCScope.join(" "));
  for (const [audience, scopes] of Object.entries(missingResourceScopes)) {
    given.addResourceScope(audience, scopes.join(" "));
  }
  return given.save();
}

function loginForm(wrong: boolean) {
  return html`<h1>Log in at the provider</h1>
    ${wrong && html`<p role="alert">Wrong user name or password.</p>`}
    <form method="post">
      <label>User name <input name="username" autofocus></label>
      <label>Password <input name="password" type="password"></label>
      <button name="answer" value="yes">Log in</button>
      <button name="answer" value="no">Cancel</button>
    </form>`;
}

function consentForm({ params }: Interaction) {
  return html`<h1>May ${String(params["client_id"])} know who you are?</h1>
    <form method="post">
      <button name="answer" value="yes">Allow</button>
      <button name="answer" value="no">Deny</button>
    </form>`;
}

function page(response: ServerResponse, content: ReturnType<typeof html>): void {
  response
    .writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" })
    .end(html`<!doctype html><html lang="en"><title>Provider</title>${content}</html>`.text);
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  return body;
}
