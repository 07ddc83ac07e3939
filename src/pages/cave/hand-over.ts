/**
 * The page in a viewer's popup: hands a login token to the window that opened it, by `postMessage` to each allowed origin and
 * never to any other (HTML standard, section 9.3). Until its script has run it says what to do without.
 */
import { Html, html } from "../../lib/html.ts";
import { asset } from "../assets.ts";
import { page, type Site } from "../layout.ts";

export interface HandOverPage {
  readonly site: Site;
  readonly basePath: string;
  readonly tokensHref: string;
  /** Name of the person who is logged in. */
  readonly person: string;
  /** As Neuroglancer reads it: it sends the token only to data hosts in `app_urls`. */
  readonly message: { readonly token: string; readonly app_urls: readonly string[] };
  readonly origins: readonly string[];
}

/** The page that accepts terms of service uses it as well, without an outcome to show. */
const SCRIPT = `"use strict";
const { message, origins } = JSON.parse(document.getElementById("handover").textContent);
if (window.opener) for (const origin of origins) window.opener.postMessage(message, origin);
const outcome = document.getElementById("outcome");
if (outcome) {
  outcome.className = "notice";
  outcome.textContent = window.opener
    ? "The page that opened this window can use your login for a limited time. You can close this window."
    : "No page is waiting for your login. You can close this window.";
}
`;

export const HAND_OVER_ASSET = asset("handover", "js", "text/javascript; charset=utf-8", SCRIPT);

export function handOverPage(at: HandOverPage): Html {
  const { basePath, tokensHref, person, message, origins } = at;
  return page({
    ...at,
    title: "Logged in",
    width: "narrow",
    main: html`<h1>You are logged in</h1>
<p class="lede">You are logged in as <strong>${person}</strong>.</p>
<p class="problem" id="outcome" role="status">Your browser runs no scripts here, so it cannot pass your login on to the page that opened this window. Allow scripts for this site and reload this page, or create a token and paste it there.</p>
<p class="back"><a href="${tokensHref}">Your CAVE tokens</a></p>
<script type="application/json" id="handover">${scriptJson({ message, origins })}</script>
<script src="${basePath}${HAND_OVER_ASSET.path}"></script>`,
  });
}

const UNSAFE = /[<>&\u2028\u2029]/g;

/** JSON that cannot end its script element, and is not escaped as HTML, which a script element does not know. */
export function scriptJson(value: unknown): Html {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return new Html(JSON.stringify(value).replace(UNSAFE, escaped));
}
