/** The page on which the owner of a link sets a password, and the answer to a link that is over. */
import { type Html, html } from "../lib/html.ts";
import { labelOf, page, type Site } from "./layout.ts";

export interface NewPasswordPage {
  readonly site: Site;
  readonly basePath: string;
  /** Path that the form posts to. */
  readonly action: string;
  readonly token: string;
  readonly account: {
    readonly purpose: "invitation" | "reset";
    readonly provider: string;
    readonly name: string;
  };
  readonly problem: string | null;
}

export function newPasswordPage(at: NewPasswordPage): Html {
  const { site, basePath, action, token, account, problem } = at;
  const { purpose, provider, name } = account;
  const described = problem !== null && html` aria-invalid="true" aria-describedby="problem"`;
  const title = purpose === "invitation" ? "Choose your password" : "Choose a new password";
  return page({
    site,
    basePath,
    title,
    width: "narrow",
    main: html`<h1>${title}</h1>
<p class="lede">For your account <strong>${name}</strong> at ${labelOf(site, provider)}. A sentence of several words is easy to remember and hard to guess.</p>
<form method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
${problem !== null && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
<p class="field"><label for="username">User name</label>
<input type="text" id="username" value="${name}" autocomplete="username" readonly></p>
<p class="field"><label for="new">New password</label>
<input type="password" id="new" name="new_password" required autocomplete="new-password" autofocus${described}></p>
<p class="field"><label for="again">New password again</label>
<input type="password" id="again" name="new_password_again" required autocomplete="new-password"${described}></p>
${purpose === "reset" && html`<label class="check"><input type="checkbox" name="revoke_keys" value="1"> Revoke all my API keys, too</label>\n`}<p class="buttons"><button type="submit">Set password and log in</button></p>
</form>
${purpose === "reset" && html`<p class="hint">All logins of this account end. API keys stay valid unless you revoke them.</p>`}`,
  });
}

export function linkOverPage(at: { readonly site: Site; readonly basePath: string }): Html {
  return page({
    ...at,
    title: "This link is over",
    width: "narrow",
    main: html`<h1>This link is over</h1>
<p class="lede">This link has been used, replaced, or is too old. Ask for another.</p>
<p><a class="button second" href="${at.basePath}/login">Log in</a></p>`,
  });
}
