/**
 * Asks before a browser uses an API key from a URL, since another site may have led here. It shows whose key it is.
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
    ? html`<p class="lede">The address that you opened contains this server’s key.</p>
<p>With it this browser can read and change everything here. Use it only if the address came from the server itself or its operator.</p>`
    : html`<p class="lede">The address that you opened contains an API key of <strong>${owner}</strong>.</p>
<p>With it this browser acts as <strong>${owner}</strong>: you see the data of ${owner}, and everything you change or upload is recorded under that name. If a link on another site or in a message brought you here and this is not your name, continue without the key.</p>`
}
${person !== null && html`<p>You are logged in as <strong>${person}</strong>. Using the key logs you out in this browser.</p>`}
<form method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="key" value="${key}">
<input type="hidden" name="next" value="${next}">
<p class="buttons"><button type="submit">Use the key</button> <a class="button second" href="${next}">Continue without it</a></p>
</form>`,
  });
}
