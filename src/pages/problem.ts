/**
 * The error page: what happened, what to do next, and the request ID. Failed logins at a provider have their own pages in
 * `external.ts`.
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
  /** Seconds, if known. */
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
        title: "Page not found",
        text: "This server has no page at the address that you opened.",
        next: "Check the address, or continue from one of the pages below.",
      };
    case "csrf":
      return {
        title: "This form is no longer valid",
        text: "It has expired, it belongs to another login, or your browser blocks this site’s cookies. Nothing was changed.",
        next: "Open the page again and repeat what you did. If another site brought you here, stop.",
      };
    case "redirect_refused":
      return {
        title: "This link cannot be followed",
        text: "It leads to a site that this server does not let use your login. Nothing was sent to it.",
        next: "If you followed a link from another person, stop. If a service that you use sent you here, tell its operator.",
      };
    case "login_elsewhere":
    case "browser_login_over":
      return {
        title: "This was started under another login",
        text: "This browser’s login has since changed or ended. Nothing was changed.",
        next: "If you followed a link from another person, stop. Otherwise log in, and start again on your account page.",
      };
    case "no_principal":
      return {
        title: "This account is disabled",
        text: "The operator of this server has disabled it.",
        next: "If you think this is a mistake, ask the operator.",
      };
    case "other_spelling":
      return {
        title: "Your account has another spelling",
        text: "This server has an account with the same name in another spelling, for example with other capital letters. Nothing was changed.",
        next: "Log in with the spelling you used before. If you cannot, ask the operator.",
      };
    case "limit_reached":
      return {
        title: "Too many sessions",
        text: "You have as many sessions as this server allows.",
        next: "Log out of one, for example in Python with c.logout(), then log in again. If you cannot, ask the operator.",
      };
    case "identity_taken":
      return {
        title: "This identity belongs to another account",
        text: "It was used to log in to this server before, so it has an account of its own. Nothing was changed.",
        next: "To use that account, log out here and log in with that identity. Accounts cannot be merged; if both are yours, ask the operator.",
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
        title: "You do not have permission",
        text: "None of your roles allows this. Nothing was changed.",
        next: "If you think this is a mistake, ask the operator.",
      };
    case "logins_busy":
      return {
        title: "Too many logins at once",
        text: "More people are logging in than the login service can check.",
        next: "Wait a moment, then try again.",
      };
    case "store_unavailable":
    case "store_busy":
    case "store_full":
    case "stopping":
      return {
        title: "This server cannot do that right now",
        text: "Its database does not respond or accepts no changes. Nothing was changed.",
        next: "Wait a few minutes, then try again. If it happens again, give the operator the request ID below.",
      };
    default:
      return status >= 500
        ? {
            title: "Something went wrong on this server",
            text: "It is not your fault, and it may be temporary.",
            next: "Wait a few minutes, then try again. If it happens again, give the operator the request ID below.",
          }
        : {
            title: "This request was not understood",
            text: "Something in it is missing or unexpected. Nothing was changed.",
            next: "Go back, reload the page, and try again. If it happens again, give the operator the request ID below.",
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
<dt>Request ID (quote it when you ask for help)</dt><dd><code>${requestId}</code></dd>
</dl>`,
  });
}
