/**
 * The page for what went wrong on any of our pages: what happened, what to do next, and the request's id for the operator.
 * Logins at a provider have pages of their own in `external.ts`.
 */
import type { FailureCode } from "../errors.ts";
import { type Html, html } from "../lib/html.ts";
import { page, type Site } from "./layout.ts";
import { waitText } from "./times.ts";

export interface Problem {
  readonly site: Site;
  readonly basePath: string;
  readonly code: FailureCode;
  readonly status: number;
  readonly requestId: string;
  /** Seconds; where it is known how long to wait. */
  readonly retryAfter?: number | undefined;
  /** Whether there are accounts on this server. */
  readonly accounts: boolean;
}

interface Words {
  readonly title: string;
  readonly text: string;
  readonly next: string;
}

function words({ code, status, retryAfter }: Problem): Words {
  switch (code) {
    case "not_found":
      return {
        title: "There is no such page",
        text: "Nothing on this server has the address that you opened.",
        next: "Look for a mistake in the address, or go on from one of the pages below.",
      };
    case "csrf":
      return {
        title: "This form cannot be used",
        text: "It is out of date, it belongs to another login, or your browser does not keep the cookies of this site. Nothing was changed.",
        next: "Open the page again and repeat what you did there. If a page of another site brought you here, do not go on.",
      };
    case "login_elsewhere":
    case "browser_login_over":
      return {
        title: "This was begun in another login",
        text: "The login of this browser has changed or ended meanwhile. Nothing was changed.",
        next: "If somebody sent you here with a link, do not go on. Otherwise log in, and begin again on your account page.",
      };
    case "no_principal":
      return {
        title: "This account is disabled",
        text: "The operator of this server has switched it off.",
        next: "If you think that this is a mistake, ask the operator.",
      };
    case "other_spelling":
      return {
        title: "You are known under another spelling",
        text: "There is an account here whose name is spelled otherwise, e.g. with other capital letters. Nothing was changed.",
        next: "Log in with the spelling that you used before. If you cannot, ask the operator.",
      };
    case "limit_reached":
      return {
        title: "Too many sessions",
        text: "You are logged in as often as this server allows.",
        next: "Log out somewhere, for example in Python with c.logout(), then log in again. If you do not know where, ask the operator.",
      };
    case "identity_taken":
      return {
        title: "This identity belongs to another account",
        text: "It has been used to log in to this server before, and so it has an account of its own. Nothing was changed.",
        next: "To use that account, log out here and log in with that identity. An account cannot be joined with another one; if both are yours, ask the operator.",
      };
    case "throttled":
      return {
        title: "Too many attempts",
        text: "There were too many failed attempts from your network.",
        next: `Try again ${retryAfter === undefined ? "in a few minutes" : waitText(retryAfter)}.`,
      };
    case "forbidden":
    case "missing_scopes":
      return {
        title: "You may not do that",
        text: "Your account has no role that allows it. Nothing was changed.",
        next: "If you think that this is a mistake, ask the operator.",
      };
    case "logins_busy":
      return {
        title: "Too many logins at once",
        text: "More people are logging in than the service behind this server can check.",
        next: "Wait a moment, then try again.",
      };
    case "store_unavailable":
    case "store_busy":
    case "store_full":
    case "stopping":
      return {
        title: "This server cannot do that at the moment",
        text: "Its database does not answer or takes no changes. Nothing was changed.",
        next: "Wait a few minutes, then try again. If it happens again, tell the operator the request below.",
      };
    default:
      return status >= 500
        ? {
            title: "Something is wrong on this server",
            text: "It is not your fault, and it may be over soon.",
            next: "Wait a few minutes, then try again. If it happens again, tell the operator the request below.",
          }
        : {
            title: "This request was not understood",
            text: "Something in it is missing or does not belong there. Nothing was changed.",
            next: "Go back, reload the page, and try again. If it happens again, tell the operator the request below.",
          };
  }
}

export function problemPage(problem: Problem): Html {
  const { site, basePath, requestId, accounts } = problem;
  const { title, text, next } = words(problem);
  return page({
    site,
    basePath,
    title,
    main: html`<h1>${title}</h1>
<p class="lede">${text}</p>
<p>${next}</p>
<ul class="links">
<li><a href="${basePath}/">Start page</a></li>
${accounts && html`<li><a href="${basePath}/account">Your account</a></li>`}
</ul>
<dl class="facts reference">
<dt>Request, for the operator</dt><dd><code>${requestId}</code></dd>
</dl>`,
  });
}
