/** After a second login: the interrupted action, with its button. */
import { type Html, html } from "../lib/html.ts";
import { type AccountAction, WORDS } from "./go-on-words.ts";
import { page, type Site } from "./layout.ts";

export interface GoOnPage {
  readonly site: Site;
  readonly basePath: string;
  /** Name of the person who is logged in. */
  readonly name: string;
  readonly action: AccountAction;
  readonly token: string;
  /** Of the form that was sent. */
  readonly fields: Readonly<Record<string, string>>;
}

export function goOnPage(at: GoOnPage): Html {
  const { title, text, button, danger } = WORDS[at.action];
  const hidden = Object.entries({ ...at.fields, token: at.token });
  return page({
    ...at,
    title,
    width: "narrow",
    main: html`<h1>${title}</h1>
<p class="lede">You are logged in as <strong>${at.name}</strong>.</p>
${text(at.fields)}
<form method="post" action="${at.basePath}/account/${at.action}">
${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<p class="buttons"><button${danger ? html` class="danger"` : html` autofocus`} type="submit">${button}</button> <a class="button second" href="${at.basePath}/account">Cancel</a></p>
</form>`,
  });
}
