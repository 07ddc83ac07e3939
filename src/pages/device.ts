/**
 * Pages of a device login: the form that asks for the code which a program shows, and what became of it. The form says
 * who is signed in and which program asks, so that nobody lets a stranger's program in (RFC 8628, section 5.4).
 */
import { type Html, html } from "../lib/html.ts";
import { page, type Site } from "./layout.ts";

export interface DeviceForm {
  readonly site: Site;
  readonly basePath: string;
  /** Path and query that the form posts to. */
  readonly action: string;
  readonly token: string;
  /** Filled in already; "" for an empty field. */
  readonly userCode: string;
  readonly provider: string;
  readonly identity: string;
  /** By its own account; null where it gave no name. */
  readonly program: string | null;
  readonly address: string | null;
  /** Whether this browser has the same address. */
  readonly sameAddress: boolean;
  /** Whole minutes. */
  readonly age: number;
  readonly problem: "empty" | "wrong" | "throttled" | null;
}

const PROBLEMS = {
  empty: "Type the code first.",
  wrong:
    "This is not the code of this login. Compare it with the code that your program shows. If the program has stopped waiting, start the login again there.",
  throttled:
    "This is not the code of this login, and there were many wrong ones from your network. Wait a few minutes, then compare the code with the one that your program shows.",
} as const;

export function deviceForm(form: DeviceForm): Html {
  const { site, basePath, identity, provider, problem } = form;
  const filled = form.userCode !== "";
  const described = problem === null ? "code-hint" : "code-problem code-hint";
  return page({
    site,
    basePath,
    title: "Confirm the login",
    main: html`<h1>Let a program log in as you?</h1>
<p class="lede">You are signed in as <strong>${identity}</strong> with ${provider}.</p>
<section aria-labelledby="program">
<h2 id="program">The program</h2>
<dl class="facts">
<dt>Calls itself</dt><dd>${form.program ?? "nothing: it gave no name"}</dd>
<dt>Runs at</dt><dd>${form.address ?? "an unknown address"}${form.sameAddress && ", the same address as this browser"}</dd>
<dt>Asked</dt><dd>${ago(form.age)}</dd>
</dl>
<p>Go on only if you have just started it yourself. A person who sends you a code, or asks you for one, wants to log in as you.</p>
</section>
<section>
<form method="post" action="${form.action}">
<input type="hidden" name="token" value="${form.token}">
<label for="user_code">${filled ? "Does your program show this code?" : "The code that your program shows"}</label>
${problem !== null && html`<p class="problem" id="code-problem" role="alert">${PROBLEMS[problem]}</p>`}
<input class="code" type="text" id="user_code" name="user_code" value="${form.userCode}" required${!filled && html` autofocus`} autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" size="12" aria-describedby="${described}"${problem !== null && html` aria-invalid="true"`}>
<p class="hint" id="code-hint">${
      filled
        ? "The address that you opened brought it along. Compare it with the one that your program shows, and press Cancel if they differ or you see no program."
        : html`Eight characters, like <code>2A4C-6E8F</code>. Capitals and the dash do not matter.`
    }</p>
<p class="buttons"><button type="submit">Log in</button> <button class="second" type="submit" name="cancel" value="1" formnovalidate>Cancel</button></p>
</form>
</section>
<details>
<summary>Not you, or not your program?</summary>
<p>Press Cancel: the program is turned away. To log in as somebody else, sign out at ${provider} first, then start the login again in your program.</p>
</details>`,
  });
}

function ago(minutes: number): string {
  if (minutes < 1) return "less than a minute ago";
  return minutes === 1 ? "a minute ago" : `${minutes} minutes ago`;
}

export interface DeviceResult {
  readonly site: Site;
  readonly basePath: string;
}

export function deviceConfirmed({ site, basePath }: DeviceResult, identity: string, seconds: number): Html {
  return page({
    site,
    basePath,
    title: "Logged in",
    main: html`<h1>Done</h1>
<p class="lede">Return to your program. Within ${seconds} seconds it is logged in as <strong>${identity}</strong>.</p>
<p>You can close this page.</p>`,
  });
}

const REFUSED = {
  cancelled: {
    title: "Cancelled",
    text: "The program is turned away, and nobody is logged in.",
    next: "You can close this page. To log in after all, start the login again in your program.",
  },
  wrong_codes: {
    title: "Too many wrong codes",
    text: "This login has ended, and nobody is logged in.",
    next: "Start the login again in your program. It shows a new address and a new code.",
  },
  principal_disabled: {
    title: "This account is disabled",
    text: "The operator of this server has switched off the account, so the program is turned away.",
    next: "If you think that this is a mistake, ask the operator.",
  },
  other_spelling: {
    title: "You are known under another spelling",
    text: "There is an account here whose name is spelled otherwise, e.g. with other capital letters, so the program is turned away.",
    next: "Start the login again in your program, and log in with the spelling that you used before. If you cannot, ask the operator.",
  },
  session_limit: {
    title: "Too many sessions",
    text: "You are logged in as often as this server allows, so the program is turned away.",
    next: "Log out somewhere, for example in Python with c.logout(), then start the login again. If you do not know where, ask the operator.",
  },
  denied_by_provider: {
    title: "The login was refused",
    text: "Nothing was changed, and the program is not logged in.",
    next: "Start the login again in your program.",
  },
} as const;

export function deviceRefused({ site, basePath }: DeviceResult, reason: keyof typeof REFUSED): Html {
  const { title, text, next } = REFUSED[reason];
  return page({
    site,
    basePath,
    title,
    main: html`<h1>${title}</h1>
<p class="lede">${text}</p>
<p>${next}</p>`,
  });
}
