/**
 * Asks before a browser uses the API key of an address that another site may have led to. It says in whose name all that
 * follows would be done.
 */
import { type Html, html } from "../lib/html.ts";
import { page, type Site } from "./layout.ts";

export interface UseKeyPage {
  readonly site: Site;
  readonly basePath: string;
  readonly action: string;
  readonly token: string;
  readonly key: string;
  /** The address without the key: a path. */
  readonly next: string;
  /** Whose key it is; null for the one key of a server without accounts. */
  readonly owner: string | null;
  /** Who is logged in with this browser. */
  readonly person: string | null;
}

export function useKeyPage(at: UseKeyPage): Html {
  const { owner, person, action, token, key, next } = at;
  return page({
    ...at,
    title: "Use this API key?",
    width: "narrow",
    main: html`<h1>Use this API key?</h1>
${
  owner === null
    ? html`<p class="lede">The address that you opened contains the key of this server.</p>
<p>With it this browser may read and change everything here. Use it if you got the address from the server itself or from its operator.</p>`
    : html`<p class="lede">The address that you opened contains an API key of <strong>${owner}</strong>.</p>
<p>With it this browser acts as <strong>${owner}</strong>: you see what ${owner} may see, and what you change and upload is in that name. If a link of another site or a message brought you here and this is not your name, go on without the key.</p>`
}
${person !== null && html`<p>You are logged in as <strong>${person}</strong>. Using the key logs you out in this browser.</p>`}
<form method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="key" value="${key}">
<input type="hidden" name="next" value="${next}">
<p class="buttons"><button type="submit">Use the key</button> <a class="button second" href="${next}">Go on without it</a></p>
</form>`,
  });
}
