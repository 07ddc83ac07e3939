/**
 * Shows a new API token of CAVE, once, and how caveclient saves it. The text names what caveclient's own instructions call
 * it (`get_new_token`, `setup-token`); copying works by hand, and by a button where scripts run.
 */
import { type Html, html } from "../../lib/html.ts";
import { page, type Site } from "../layout.ts";
import { COPY_ASSET } from "./copy.ts";

export interface NewTokenPage {
  readonly site: Site;
  readonly basePath: string;
  /** Of the tokens page. */
  readonly tokensHref: string;
  /** What users give to `CAVEclient`. */
  readonly serverAddress: string;
  readonly token: string;
  readonly description: string | null;
}

export function newTokenPage(at: NewTokenPage): Html {
  const { basePath, tokensHref, serverAddress, token, description } = at;
  return page({
    ...at,
    title: "Your new token",
    main: html`<h1>Your new token</h1>
<p class="lede">${description !== null && html`For <strong>${description}</strong>. `}It does not expire.</p>
<section aria-labelledby="secret">
<h2 id="secret">Copy it now: it is shown only once</h2>
<pre class="secret" tabindex="0" role="group" aria-label="The new token"><code id="token">${token}</code></pre>
<p class="buttons"><button type="button" id="copy" hidden>Copy the token</button></p>
<p class="hint" id="copied" role="status"></p>
<p>Anyone who has it can work as you, so keep it as safe as a password. If you lose it, revoke it and create another.</p>
</section>
<section aria-labelledby="use">
<h2 id="use">Save it for Python</h2>
<p>On the computer that will use it, once:</p>
${code(`from caveclient import CAVEclient

client = CAVEclient(server_address=${JSON.stringify(serverAddress)})
client.auth.save_token(token=${JSON.stringify(token)})`)}
<p>If caveclient says that the key <code>"token"</code> already exists, it has another token. This line replaces it:</p>
${code(`client.auth.save_token(token=${JSON.stringify(token)}, overwrite=True)`)}
<p>From then on, <code>CAVEclient("DATASTACK", server_address=${JSON.stringify(serverAddress)})</code> and CloudVolume find the token by themselves. If <code>caveclient setup-token</code> is waiting for a token, paste the token alone there.</p>
</section>
<p class="buttons"><a class="button" href="${tokensHref}">Back to your tokens</a></p>
<script src="${basePath}${COPY_ASSET.path}"></script>`,
  });
}

function code(text: string): Html {
  return html`<pre class="whole" tabindex="0" role="group" aria-label="Python code"><code>${text}</code></pre>`;
}
