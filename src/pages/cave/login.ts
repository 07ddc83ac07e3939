/** CAVE's login and logout pages. The forms are those of the account's login page (`../login-page.ts`). */
import { type Html, html } from "../../lib/html.ts";
import { labelOf, page, type Site } from "../layout.ts";
import { type Choice, choiceList, type LoginForm, passwordForm } from "../login-page.ts";

export interface CaveLoginPage {
  readonly site: Site;
  readonly basePath: string;
  /** One for each provider with passwords. */
  readonly forms: readonly LoginForm[];
  /** Providers elsewhere. */
  readonly choices: readonly Choice[];
  /** The host that is handed a login; null: a page of ours, or the window that opened this one. */
  readonly destination: string | null;
}

export function caveLoginPage({ site, basePath, forms, choices, destination }: CaveLoginPage): Html {
  return page({
    site,
    basePath,
    title: "Log in",
    width: "narrow",
    main: html`<h1>Log in to ${site.title}</h1>
${destination !== null && html`<p class="lede">You will then continue to <strong>${destination}</strong>, which can work as you for a limited time.</p>`}
${forms.map((form, index) => section(site, form, forms.length > 1 ? `way-${index}` : null))}
${choices.length > 0 && html`<section aria-labelledby="ways">\n${choiceList({ site, basePath }, choices, forms.length === 0)}\n</section>`}`,
  });
}

/** `heading`: its id; null for the only form. */
function section(site: Site, form: LoginForm, heading: string | null): Html {
  const fields = passwordForm(site, form, "Log in");
  if (heading === null) return html`<section>\n${fields}\n</section>\n`;
  return html`<section aria-labelledby="${heading}">
<h2 id="${heading}">Log in with ${labelOf(site, form.provider)}</h2>
${fields}
</section>
`;
}

/** `person`: null once the browser is logged out. */
export function caveLogoutPage(at: {
  readonly site: Site;
  readonly basePath: string;
  readonly loginHref: string;
  readonly tokensHref: string;
  readonly person: { readonly name: string; readonly action: string; readonly csrf: Html } | null;
}): Html {
  const { person, loginHref, tokensHref } = at;
  return page({
    ...at,
    title: person === null ? "Logged out" : "Log out",
    width: "narrow",
    main:
      person === null
        ? html`<h1>Logged out</h1>
<p class="lede">This browser is logged out of CAVE, and the logins that it handed to services and viewers have ended. A service may remember one for five more minutes. Your API tokens stay valid.</p>
<p><a class="button" href="${loginHref}">Log in</a></p>`
        : html`<h1>Log out?</h1>
<p class="lede">You are logged in as <strong>${person.name}</strong>. Logging out also ends the logins that this browser handed to services and viewers. Your API tokens stay valid.</p>
<form method="post" action="${person.action}">
${person.csrf}<input type="hidden" name="logout" value="1">
<p class="buttons"><button type="submit">Log out</button> <a class="button second" href="${tokensHref}">Stay logged in</a></p>
</form>`,
  });
}
