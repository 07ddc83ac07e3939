/**
 * Pages of logins at a provider that go wrong: what happened, and what to do next, for somebody who knows nothing of OAuth.
 */
import type { FailureCode } from "../errors.ts";
import { type Html, html } from "../lib/html.ts";
import { page, type Site } from "./layout.ts";

/**
 * Where a login began, and so where it begins again: in a program, at an application that the browser came from, on our
 * login page, or on the page of an account that an identity was to be added to.
 */
export type Begun = "program" | "browser" | "page" | "account";

export interface LoginFailure {
  readonly site: Site;
  readonly basePath: string;
  readonly provider: string;
  readonly begun: Begun;
  /** The page of ours that goes on; null where there is none. */
  readonly onward: string | null;
  readonly code: FailureCode;
  readonly status: number;
  readonly requestId: string;
}

interface Words {
  readonly title: string;
  readonly text: string;
  readonly next: string;
}

const AGAIN: Readonly<Record<Begun, string>> = {
  program: "start the login again in your program",
  browser: "go back to where you began, and log in again",
  page: "log in again",
  account: "go back to your account, and add it again",
};

function words({ code, status, provider, begun }: LoginFailure): Words {
  const again = AGAIN[begun];
  const outcome = begun === "account" ? "nothing was added to your account" : "nobody is logged in";
  switch (code) {
    case "login_over":
      return {
        title: "This login is over",
        text: "It was finished or cancelled already, or it took too long.",
        next:
          begun === "program"
            ? `Look at your program first, which may be logged in. If it is not, ${again}: it shows a new address and a new code.`
            : `Please ${again}.`,
      };
    case "login_elsewhere":
      return {
        title: "This login began in another browser",
        text: "Or this browser does not keep the cookies that a login needs.",
        next: `If somebody sent you here with a link, do not go on. Otherwise allow cookies for this site, then ${again}.`,
      };
    case "login_refused":
      return {
        title: `${provider} did not log you in`,
        text: "The login was refused there, by you or by a rule, or this server does not admit the account that you chose.",
        next: `If you did not want that, ${again}, perhaps with another account. If it happens again, ask the operator.`,
      };
    case "provider_invalid":
      return {
        title: `The answer of ${provider} was not accepted`,
        text: `Something about it was not in order, so ${outcome}.`,
        next: `Please ${again}. If it happens again, tell the operator the request below.`,
      };
    case "bad_gateway":
    case "gateway_timeout":
      return {
        title: `${provider} does not answer`,
        text: `The login needs it, and it gave no usable answer, so ${outcome}.`,
        next: `Wait a few minutes, then ${again}. If it happens again, tell the operator the request below.`,
      };
    case "throttled":
      return {
        title: "Too many attempts",
        text: "There were too many logins or failed attempts from your network.",
        next: `Wait a few minutes, then ${again}.`,
      };
    case "no_principal":
      return {
        title: "This account is disabled",
        text: "The operator of this server has switched it off.",
        next: "If you think that this is a mistake, ask the operator.",
      };
    case "limit_reached":
      return {
        title: "Too many sessions",
        text: "You are logged in as often as this server allows.",
        next: "Log out somewhere, for example in Python with c.logout(), then log in again. If you do not know where, ask the operator.",
      };
    default:
      return status >= 500
        ? {
            title: "Something is wrong on this server",
            text: `For now ${outcome}.`,
            next: `Wait a few minutes, then ${again}. If it happens again, tell the operator the request below.`,
          }
        : {
            title: "This address is not complete",
            text: `Something is missing in it, or does not belong there, so ${outcome}.`,
            next: `Please ${again}.`,
          };
  }
}

export function loginFailed(failure: LoginFailure): Html {
  const { title, text, next } = words(failure);
  const { begun, onward } = failure;
  return page({
    site: failure.site,
    basePath: failure.basePath,
    title,
    main: html`<h1>${title}</h1>
<p class="lede">${text}</p>
<p>${next}</p>
${
  onward !== null &&
  html`<p class="buttons"><a class="button" href="${onward}">${begun === "account" ? "Back to your account" : "Log in again"}</a></p>
`
}<dl class="facts reference">
<dt>Request, for the operator</dt><dd><code>${failure.requestId}</code></dd>
</dl>`,
  });
}
