/**
 * Pages of a device login: the form for the user code, and its outcome. The form shows the identity that is signed in and
 * the program that asks, against remote phishing (RFC 8628, section 5.4).
 */
import { type Html, html } from "../lib/html.ts";
import { labelOf, page, type Site } from "./layout.ts";

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
  /** From its User-Agent; null: it sent none. */
  readonly program: string | null;
  readonly address: string | null;
  /** Whether this browser has the same address. */
  readonly sameAddress: boolean;
  /** Whole minutes. */
  readonly age: number;
  readonly problem: "empty" | "wrong" | "throttled" | null;
  /** The page of the person's CAVE tokens; null if the server does not speak CAVE. */
  readonly caveTokensUrl: string | null;
}

const PROBLEMS = {
  empty: "Type the code first.",
  wrong:
    "This is not the code of this login. Compare it with the code that your program shows. If the program has stopped waiting, start the login again there.",
  throttled:
    "This is not the code of this login, and there were many wrong ones from your network. Wait a few minutes, then compare the code with the one that your program shows.",
} as const;

export function deviceForm(form: DeviceForm): Html {
  const { site, basePath, identity, problem } = form;
  const provider = labelOf(site, form.provider);
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
<dt>Calls itself</dt><dd>${form.program ?? "(it gave no name)"}</dd>
<dt>Runs at</dt><dd>${form.address ?? "an unknown address"}${form.sameAddress && ", the same address as this browser"}</dd>
<dt>Asked</dt><dd>${ago(form.age)}</dd>
</dl>
<p>Continue only if you have just started it yourself. A person who sends you a code, or asks you for one, wants to log in as you.</p>
</section>
<section>
<form method="post" action="${form.action}">
<input type="hidden" name="token" value="${form.token}">
<label for="user_code">${filled ? "Does your program show this code?" : "The code that your program shows"}</label>
${problem !== null && html`<p class="problem" id="code-problem" role="alert">${PROBLEMS[problem]}</p>`}
<input class="code" type="text" id="user_code" name="user_code" value="${form.userCode}" required${!filled && html` autofocus`} autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" size="12" aria-describedby="${described}"${problem !== null && html` aria-invalid="true"`}>
<p class="hint" id="code-hint">${
      filled
        ? "It came with the address that you opened. Compare it with the code that your program shows, and press Cancel if they differ or you see no program."
        : html`Eight characters, like <code>2A4C-6E8F</code>. Upper and lower case and the dash do not matter.`
    }</p>
<p class="buttons"><button type="submit">Log in</button> <button class="second" type="submit" name="cancel" value="1" formnovalidate>Cancel</button></p>
</form>
</section>
<details>
<summary>Not you, or not your program?</summary>
<p>Press Cancel to refuse the program. To log in as another person, sign out at ${provider} first, then start the login again in your program.</p>
</details>${caveHint(form.caveTokensUrl)}`,
  });
}

function caveHint(url: string | null): Html | false {
  return (
    url !== null &&
    html`
<p class="hint">Programs for CAVE, such as caveclient, do not log in here: create a token for them on the page of <a href="${url}">your CAVE tokens</a>.</p>`
  );
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
<p class="lede">Return to your program. It will be logged in within ${seconds} seconds as <strong>${identity}</strong>.</p>
<p>You can close this page.</p>`,
  });
}

const REFUSED = {
  cancelled: {
    title: "Cancelled",
    text: "The program was refused and is not logged in.",
    next: "You can close this page. To log in after all, start the login again in your program.",
  },
  wrong_codes: {
    title: "Too many wrong codes",
    text: "This login has ended. The program is not logged in.",
    next: "Start the login again in your program. It shows a new address and a new code.",
  },
  principal_disabled: {
    title: "This account is disabled",
    text: "The operator of this server has disabled the account, so the program was refused.",
    next: "If you think this is a mistake, ask the operator.",
  },
  other_spelling: {
    title: "Your account has another spelling",
    text: "This server has an account with the same name in another spelling, for example with other capital letters, so the program was refused.",
    next: "Start the login again in your program, and log in with the spelling you used before. If you cannot, ask the operator.",
  },
  session_limit: {
    title: "Too many sessions",
    text: "You have as many sessions as this server allows, so the program was refused.",
    next: "Log out of one, for example in Python with c.logout(), then start the login again. If you cannot, ask the operator.",
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
