/**
 * Adding an identity to an account: what it means, and the way to the place that vouches for it. Somebody who is sent here
 * by a stranger must see whose account it is.
 */
import { type Html, html } from "../lib/html.ts";
import { page, type Site } from "./layout.ts";
import { type LoginForm, passwordForm } from "./login-page.ts";

export interface LinkPage {
  readonly site: Site;
  readonly basePath: string;
  /** Who is logged in. */
  readonly name: string;
  readonly ownProvider: string;
  /** That is added. */
  readonly provider: string;
  /** For a provider that takes a password here; else a button leads to the provider. */
  readonly form: LoginForm | null;
  readonly action: string;
  readonly token: string;
}

export function linkPage(link: LinkPage): Html {
  const { site, basePath, name, ownProvider, provider, form, action, token } = link;
  return page({
    site,
    basePath,
    title: `Add ${provider}`,
    width: "narrow",
    main: html`<h1>Add ${provider} to your account</h1>
<p class="lede">You are logged in as <strong>${name}</strong> with ${ownProvider}.</p>
<p>${form === null ? html`You log in at ${provider} next, as the person whom you want to add.` : html`Log in with ${provider} as the person whom you want to add.`} From then on both open this account. Add only yourself: that login can do all that you can do.</p>
${
  form !== null
    ? html`<section>
${passwordForm(form, "Add")}
</section>`
    : html`<form method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
<p class="buttons"><button type="submit" autofocus>Go on to ${provider}</button></p>
</form>`
}
<p class="back"><a href="${basePath}/account">Back to your account</a></p>`,
  });
}

/**
 * On to the provider. A redirect in answer to a form would need the provider's address in the policy of the page that has
 * the form, which does not know it yet.
 */
export function leavingPage(at: {
  readonly site: Site;
  readonly basePath: string;
  readonly provider: string;
  readonly href: string;
}): Html {
  return page({
    ...at,
    title: `On to ${at.provider}`,
    width: "narrow",
    refresh: at.href,
    main: html`<h1>On to ${at.provider} …</h1>
<p>Your browser should go there by itself.</p>
<p><a class="button" href="${at.href}">Go on to ${at.provider}</a></p>`,
  });
}
