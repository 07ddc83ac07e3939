/**
 * Adding an identity to an account: what it means, and the way to its provider. A person lured here must see whose account
 * it is.
 */
import { type Html, html } from "../lib/html.ts";
import { labelOf, page, type Site } from "./layout.ts";
import { type LoginForm, passwordForm } from "./login-page.ts";

export interface LinkPage {
  readonly site: Site;
  readonly basePath: string;
  /** Name of the person who is logged in. */
  readonly name: string;
  readonly ownProvider: string;
  /** The provider of the new identity. */
  readonly provider: string;
  /** For a provider with passwords; for others a button leads to the provider. */
  readonly form: LoginForm | null;
  readonly action: string;
  readonly token: string;
}

export function linkPage(link: LinkPage): Html {
  const { site, basePath, name, form, action, token } = link;
  const [ownProvider, provider] = [labelOf(site, link.ownProvider), labelOf(site, link.provider)];
  return page({
    site,
    basePath,
    title: `Add ${provider}`,
    width: "narrow",
    main: html`<h1>Add ${provider} to your account</h1>
<p class="lede">You are logged in as <strong>${name}</strong> with ${ownProvider}.</p>
<p>${form === null ? html`Next you log in at ${provider} with the identity you want to add.` : html`Log in to ${provider} with the identity you want to add.`} From then on you can log in to this account with either. Add only an identity of your own: it gets all your permissions.</p>
${
  form !== null
    ? html`<section>
${passwordForm(site, form, "Add")}
</section>`
    : html`<form method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
<p class="buttons"><button type="submit" autofocus>Continue to ${provider}</button></p>
</form>`
}
<p class="back"><a href="${basePath}/account">Back to your account</a></p>`,
  });
}

/**
 * Sends the browser on to the provider. A redirect in answer to the form would need the provider's address in the
 * `form-action` of the page with the form, which does not know it yet.
 */
export function leavingPage(at: {
  readonly site: Site;
  readonly basePath: string;
  readonly provider: string;
  readonly href: string;
}): Html {
  const provider = labelOf(at.site, at.provider);
  return page({
    ...at,
    title: `Continuing to ${provider}`,
    width: "narrow",
    refresh: at.href,
    main: html`<h1>Continuing to ${provider} …</h1>
<p>Your browser should go there automatically.</p>
<p><a class="button" href="${at.href}">Continue to ${provider}</a></p>`,
  });
}
