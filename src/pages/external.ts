/**
 * Error pages of logins at a provider: what happened and what to do next, without OAuth's vocabulary.
 */
import type { FailureCode } from "../errors.ts";
import { type Html, html } from "../lib/html.ts";
import { labelOf, page, type Site } from "./layout.ts";

/**
 * Where a login started, and so where it is repeated: in a program, at an application that sent the browser, on our login
 * page, or on the account page, to add an identity.
 */
export type Begun = "program" | "browser" | "page" | "account";

export interface LoginFailure {
  readonly site: Site;
  readonly basePath: string;
  readonly provider: string;
  readonly begun: Begun;
  /** Our page to continue from, if any. */
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
  browser: "go back to where you started, and log in again",
  page: "log in again",
  account: "go back to your account, and add it again",
};

function words({ code, status, site, begun, ...failure }: LoginFailure): Words {
  const provider = labelOf(site, failure.provider);
  const again = AGAIN[begun];
  const outcome = begun === "account" ? "nothing was added to your account" : "you are not logged in";
  switch (code) {
    case "login_over":
      return {
        title: "This login has ended",
        text: "It was already finished or cancelled, or it took too long.",
        next:
          begun === "program"
            ? `Check your program first: it may already be logged in. If it is not, ${again}: it shows a new address and a new code.`
            : `Please ${again}.`,
      };
    case "login_elsewhere":
      return {
        title: "This login began in another browser",
        text: "Or this browser blocks the cookies that a login needs.",
        next: `If you followed a link from another person, stop. Otherwise allow cookies for this site, then ${again}.`,
      };
    case "login_refused":
      return {
        title: `${provider} did not log you in`,
        text: "You or a policy refused the login there, or this server does not accept the account you chose.",
        next: `If that was not your intention, ${again}, perhaps with another account. If it happens again, ask the operator.`,
      };
    case "provider_invalid":
      return {
        title: `The answer from ${provider} was rejected`,
        text: `It did not pass this server’s checks, so ${outcome}.`,
        next: `Please ${again}. If it happens again, give the operator the request ID below.`,
      };
    case "bad_gateway":
    case "gateway_timeout":
      return {
        title: `${provider} is not responding`,
        text: `The login needs it, and it gave no usable answer, so ${outcome}.`,
        next: `Wait a few minutes, then ${again}. If it happens again, give the operator the request ID below.`,
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
        text: "The operator of this server has disabled it.",
        next: "If you think this is a mistake, ask the operator.",
      };
    case "limit_reached":
      return {
        title: "Too many sessions",
        text: "You have as many sessions as this server allows.",
        next: "Log out of one, for example in Python with c.logout(), then log in again. If you cannot, ask the operator.",
      };
    default:
      return status >= 500
        ? {
            title: "Something went wrong on this server",
            text: `For now ${outcome}.`,
            next: `Wait a few minutes, then ${again}. If it happens again, give the operator the request ID below.`,
          }
        : {
            title: "This address is incomplete",
            text: `Something in it is missing or unexpected, so ${outcome}.`,
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
<dt>Request ID (quote it when you ask for help)</dt><dd><code>${failure.requestId}</code></dd>
</dl>`,
  });
}
