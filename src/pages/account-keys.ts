/** Creating an API key: the form on the account page, and the page that shows the new key once. */
import { type Html, html } from "../lib/html.ts";
import { page, type Site } from "./layout.ts";
import { day } from "./times.ts";

export interface KeyForm {
  /** The person's scopes; `inherit` stands for all of them. */
  readonly scopes: readonly string[];
  readonly problem: string | null;
  /** As it was typed. */
  readonly note: string;
  /** Whether a key may be given the scope `cave`, which no role has. */
  readonly cave: boolean;
}

/** Of CAVE's tokens. */
const CAVE_SCOPE = "cave";

/** Lifetimes of new keys by form value: seconds, or null for keys that do not expire. */
export const LIFETIMES: Readonly<Record<string, { readonly text: string; readonly seconds: number | null }>> =
  {
    day: { text: "in one day", seconds: 86_400 },
    week: { text: "in one week", seconds: 7 * 86_400 },
    month: { text: "in 30 days", seconds: 30 * 86_400 },
    quarter: { text: "in 90 days", seconds: 90 * 86_400 },
    year: { text: "in one year", seconds: 365 * 86_400 },
    never: { text: "never", seconds: null },
  };

export const USUAL_LIFETIME = "month";
const READING: ReadonlySet<string> = new Set(["read:metadata", "read:data"]);

export function keyForm(
  { scopes, problem, note, cave }: KeyForm,
  { basePath, token }: { readonly basePath: string; readonly token: string },
): Html {
  return html`<details${problem !== null && html` open`}>
<summary>Create a new key</summary>
<form method="post" action="${basePath}/account/keys">
<input type="hidden" name="token" value="${token}">
${problem !== null && html`<p class="problem" role="alert">${problem}</p>`}
<p class="field"><label for="note">What is it for?</label>
<input type="text" id="note" name="note" value="${note}" maxlength="255" autocomplete="off" aria-describedby="note-hint">
<span class="hint" id="note-hint">A note for yourself, such as the program or machine that uses it.</span></p>
<p class="field"><label for="lifetime">Expires</label>
<select id="lifetime" name="lifetime">
${Object.entries(LIFETIMES).map(
  ([value, { text }]) =>
    html`<option value="${value}"${value === USUAL_LIFETIME && html` selected`}>${text}</option>\n`,
)}</select></p>
<fieldset>
<legend>Permissions</legend>
${checkbox("inherit", html`all my permissions, now and in future`, false)}
<div class="boxes">
${scopes.map((scope) => checkbox(`scope ${scope}`, html`<code>${scope}</code>`, READING.has(scope)))}</div>
${cave && checkbox(`scope ${CAVE_SCOPE}`, html`<code>${CAVE_SCOPE}</code> use CAVE’s services as me (no other box includes it)`, false)}</fieldset>
<p class="buttons"><button type="submit">Create key</button></p>
</form>
</details>`;
}

function checkbox(name: string, label: Html, checked: boolean): Html {
  return html`<label class="check"><input type="checkbox" name="${name}" value="1"${checked && html` checked`}> ${label}</label>\n`;
}

export function newKeyPage(made: {
  readonly site: Site;
  readonly basePath: string;
  readonly baseUrl: string;
  readonly secret: string;
  readonly note: string | null;
  readonly expirationTime: Date | null;
  readonly scopes: readonly string[];
}): Html {
  const { basePath, secret, note, expirationTime } = made;
  return page({
    ...made,
    title: "Your new key",
    main: html`<h1>Your new key</h1>
<p class="lede">${note !== null && html`For <strong>${note}</strong>. `}It ${expirationTime === null ? "does not expire" : html`expires on ${day(expirationTime)}`}.</p>
<section aria-labelledby="secret">
<h2 id="secret">Copy it now: it is shown only once</h2>
<pre class="secret" tabindex="0" role="group" aria-label="The new key"><code>${secret}</code></pre>
<p>Anyone who has it can use its permissions, so keep it as safe as a password. If you lose it, revoke it and create another.</p>
</section>
<section aria-labelledby="use">
<h2 id="use">From Python</h2>
${uses(made)}</section>
<p class="buttons"><a class="button" href="${basePath}/account">Back to your account</a></p>`,
  });
}

function uses({ baseUrl, scopes }: { readonly baseUrl: string; readonly scopes: readonly string[] }): Html {
  const isCaveToken = scopes.includes(CAVE_SCOPE);
  return html`${
    !(isCaveToken && scopes.length === 1) &&
    html`${python(`from tiled.client import from_uri\n\nc = from_uri(${JSON.stringify(baseUrl)}, api_key="THE KEY")`)}
<p>Or keep the key out of the code: set the environment variable <code>TILED_API_KEY</code>.</p>
`
  }${
    isCaveToken &&
    html`<p>For CAVE, save it once with <code>client</code>, a <code>CAVEclient</code> of this server:</p>
${python(`client.auth.save_token(token="THE KEY")`)}
`
  }`;
}

function python(code: string): Html {
  return html`<pre tabindex="0" role="group" aria-label="Python code"><code>${code}</code></pre>`;
}
