/**
 * The login page: a form for user name and password, and links to other providers. Errors appear beside the form and never
 * tell which of the two was wrong.
 */
import { type Html, html } from "../lib/html.ts";
import { labelOf, page, type Site } from "./layout.ts";
import { waitText } from "./times.ts";

export interface LoginForm {
  /** Path that the form posts to. */
  readonly action: string;
  readonly token: string;
  readonly provider: string;
  readonly next: string | null;
  /** Filled in already; "" for an empty field. */
  readonly username: string;
  readonly problem: LoginProblem | null;
  /** Shown beside a problem. */
  readonly requestId: string;
  /** Of several forms on one page: makes the names of its fields' labels unique. The first one has none, and the focus. */
  readonly suffix?: string;
}

export type LoginProblem =
  | { readonly kind: "empty" | "outdated" | "unusable" }
  /** `text`: in place of the usual one. */
  | { readonly kind: "wrong"; readonly text?: string }
  | { readonly kind: "throttled"; readonly retryAfter: number };

export interface LoginPage {
  readonly site: Site;
  readonly basePath: string;
  /** Null where the person chooses one of `choices` first. */
  readonly form: LoginForm | null;
  /** Other ways to log in, in the order of the configuration. */
  readonly choices: readonly Choice[];
  /** The host that the login leads to, if it is another one. */
  readonly destination: string | null;
  /** The person who is logged in and has to log in again to continue. */
  readonly again: string | null;
}

export interface Choice {
  /** The provider's. */
  readonly name: string;
  readonly href: string;
}

export function loginPage({ site, basePath, form, choices, destination, again }: LoginPage): Html {
  return page({
    site,
    basePath,
    title: "Log in",
    width: "narrow",
    main: html`${heading(site.title, destination, again)}
${form !== null && html`<section>\n${passwordForm(site, form, "Log in")}\n</section>`}
${choices.length > 0 && html`<section aria-labelledby="ways">\n${choiceList({ site, basePath }, choices, form === null)}\n</section>`}`,
  });
}

function heading(title: string, destination: string | null, again: string | null): Html {
  if (again !== null) {
    return html`<h1>Log in again</h1>
<p class="lede">You are logged in as <strong>${again}</strong>. To continue, confirm that it is you.</p>`;
  }
  return html`<h1>Log in to ${title}</h1>
${destination !== null && html`<p class="lede">You will then continue to <strong>${destination}</strong>.</p>`}`;
}

/** A provider with a label has a button that says it all; a name alone needs the heading. */
export function choiceList(
  { site, basePath }: { readonly site: Site; readonly basePath: string },
  choices: readonly Choice[],
  only: boolean,
): Html {
  const labelled = choices.every(({ name }) => site.providers?.get(name)?.label != null);
  const heading = labelled
    ? only
      ? "Choose how to log in"
      : "Other ways to log in"
    : only
      ? "Log in with"
      : "Or log in with";
  return html`<h2 id="ways">${heading}</h2>
<ul class="choices">
${choices.map(({ name, href }) => {
  const { label = null, icon = null } = site.providers?.get(name) ?? {};
  return html`<li><a class="button second" href="${href}">${icon !== null && html`<img src="${basePath}${icon}" alt=""> `}${label === null ? name : `Log in with ${label}`}</a></li>\n`;
})}</ul>`;
}

export function passwordForm(site: Site, form: LoginForm, button: string): Html {
  const { action, token, provider, next, username, problem, requestId, suffix = "" } = form;
  const described = problem !== null && html` aria-describedby="login-problem${suffix}"`;
  const wrong = (problem?.kind === "wrong" || problem?.kind === "empty") && html` aria-invalid="true"`;
  // Focus the first empty field.
  const focus = (field: "username" | "password") =>
    suffix === "" && (username === "" ? field === "username" : field === "password") && html` autofocus`;
  return html`<form method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="provider" value="${provider}">
${next !== null && html`<input type="hidden" name="next" value="${next}">`}
${problem !== null && html`<p class="problem" id="login-problem${suffix}" role="alert">${problemText(problem)}</p>`}
<p class="field"><label for="username${suffix}">User name</label>
<input type="text" id="username${suffix}" name="username" value="${username}" required maxlength="255" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" inputmode="email"${focus("username")}${wrong}${described}></p>
<p class="field"><label for="password${suffix}">Password</label>
<input type="password" id="password${suffix}" name="password" required autocomplete="current-password"${focus("password")}${wrong}${described}></p>
<p class="buttons"><button type="submit">${button}</button></p>
</form>
<p class="hint">Use your <strong>${labelOf(site, provider)}</strong> account.</p>${
    problem !== null &&
    html`
<p class="hint">Request ID (quote it when you ask for help): <code>${requestId}</code></p>`
  }`;
}

function problemText(problem: LoginProblem): string {
  switch (problem.kind) {
    case "empty":
      return "Enter your user name and password.";
    case "wrong":
      return problem.text ?? "Incorrect user name or password.";
    case "unusable":
      return "A user name has at most 255 characters.";
    case "outdated":
      return "This page was open for too long, or your browser blocks this site’s cookies. Please try again.";
    case "throttled":
      return `Too many failed attempts. Try again ${waitText(problem.retryAfter)}.`;
  }
}

/** `person`: null once the browser is logged out. */
export function logoutPage(at: {
  readonly site: Site;
  readonly basePath: string;
  readonly person: { readonly name: string; readonly action: string; readonly token: string } | null;
}): Html {
  const { person, basePath } = at;
  return page({
    ...at,
    title: person === null ? "Logged out" : "Log out",
    width: "narrow",
    main:
      person === null
        ? html`<h1>Logged out</h1>
<p class="lede">This browser is logged out. Programs that you logged in stay logged in. The account page lists them.</p>
<p><a class="button" href="${basePath}/login">Log in</a></p>`
        : html`<h1>Log out?</h1>
<p class="lede">You are logged in as <strong>${person.name}</strong>.</p>
<form method="post" action="${person.action}">
<input type="hidden" name="token" value="${person.token}">
<p class="buttons"><button type="submit">Log out</button> <a class="button second" href="${basePath}/account">Stay logged in</a></p>
</form>`,
  });
}

/** A person who is logged in continues to another host of the operator's. */
export function onwardPage(at: {
  readonly site: Site;
  readonly basePath: string;
  readonly name: string;
  readonly href: string;
  readonly destination: string;
}): Html {
  return page({
    ...at,
    title: "Logged in",
    width: "narrow",
    main: html`<h1>Logged in</h1>
<p class="lede">You are logged in as <strong>${at.name}</strong>.</p>
<p><a class="button" href="${at.href}">Continue to ${at.destination}</a></p>
<p class="hint">If that brings you back here, the other site does not share this login. Tell its operator.</p>`,
  });
}
