/**
 * The page at the server's root: what this server is, who may read, and what to type in Python. It shows nothing beyond
 * the public about document.
 */
import { type Html, html } from "../lib/html.ts";
import { labelOf, page, type Site } from "./layout.ts";

/** The four modes of a server; the first two have no providers. */
export type AccessMode = "single-user" | "public" | "private" | "mixed";

export function accessMode(providers: number, allowAnonymousAccess: boolean): AccessMode {
  if (providers === 0) return allowAnonymousAccess ? "public" : "single-user";
  return allowAnonymousAccess ? "mixed" : "private";
}

export interface Landing {
  readonly site: Site;
  /** The server's root as this browser reaches it, without a slash at its end. */
  readonly baseUrl: string;
  /** "" or "/prefix": the path of `baseUrl`. */
  readonly basePath: string;
  readonly mode: AccessMode;
  /** Whether anything that is served can be written to. */
  readonly writable: boolean;
  /** In the order of the configuration. */
  readonly providers: readonly string[];
  /** Whether this browser is logged in. */
  readonly loggedIn: boolean;
  /** Whether the URL holds an invalid API key. */
  readonly keyRefused: boolean;
}

export function landingPage(landing: Landing): Html {
  const { site, baseUrl, basePath, mode, writable, providers, loggedIn, keyRefused } = landing;
  return page({
    site,
    basePath,
    title: null,
    ...(providers.length > 0 && {
      nav: loggedIn
        ? { text: "Your account", href: `${basePath}/account` }
        : { text: "Log in", href: `${basePath}/login` },
    }),
    main: html`<h1>${site.title}</h1>
<p class="lede">This is a Tiled server. Python programs read arrays, tables and their metadata from it${AUDIENCE[mode]}.</p>
${keyRefused && html`<p class="problem" role="alert">The API key in this address is not valid: it is incomplete or mistyped, or it has expired or been revoked. Copy the whole address again, or ask for a new key.</p>`}
<section aria-labelledby="access">
<h2 id="access">Access</h2>
<dl class="facts">
<dt>Read</dt><dd>${READ[mode]}</dd>
${writable && html`<dt>Write</dt><dd>${WRITE[mode]}</dd>`}
${providers.length > 0 && html`<dt>Log in with</dt><dd><ul>${providers.map((name) => html`<li>${labelOf(site, name) !== name && `${labelOf(site, name)}: `}<code>${name}</code></li>`)}</ul></dd>`}
<dt>Address</dt><dd><code>${baseUrl}</code></dd>
</dl>
</section>
<section aria-labelledby="python">
<h2 id="python">From Python</h2>
<p>Install the client once:</p>
<pre tabindex="0" role="group" aria-label="Command to install the client"><code>pip install "tiled[client]"</code></pre>
<p>${PYTHON[mode].before}</p>
<pre tabindex="0" role="group" aria-label="Python code"><code>${pythonLines(mode, baseUrl)}</code></pre>
<p>${PYTHON[mode].after}</p>
</section>
<section aria-labelledby="more">
<h2 id="more">For programs</h2>
<ul class="links">
<li><a href="${basePath}/docs">API documentation</a></li>
<li><a href="${basePath}/openapi.json">OpenAPI description</a></li>
<li><a href="${basePath}/api/v1/">About this server (JSON)</a></li>
</ul>
</section>`,
  });
}

const AUDIENCE: Record<AccessMode, string> = {
  "single-user": ", with its API key",
  public: ", without a login",
  private: ", after a login",
  mixed: "; some of it is public, the rest needs a login",
};

const READ: Record<AccessMode, string> = {
  "single-user": "Anyone with the server’s API key",
  public: "Anyone, without a login",
  private: "Anyone logged in, for the data they have access to",
  mixed: "Anyone for public data; anyone logged in for the data they have access to",
};

const WRITE: Record<AccessMode, string> = {
  "single-user": "Anyone with the server’s API key",
  public: "Anyone with the server’s API key",
  private: "Anyone logged in, where they have permission",
  mixed: "Anyone logged in, where they have permission",
};

const PYTHON: Record<AccessMode, { readonly before: string; readonly after: Html }> = {
  "single-user": {
    before: "Then connect with the server’s API key:",
    after: html`Or keep the key out of the code: set the environment variable <code>TILED_API_KEY</code>.`,
  },
  public: { before: "Then connect:", after: html`<code>list(c)</code> lists the content.` },
  private: {
    before: "Then connect. It asks for your login the first time and remembers it afterwards:",
    after: html`<code>list(c)</code> lists the content; <code>c.logout()</code> logs you out.`,
  },
  mixed: {
    before: "Then connect, and log in to see more:",
    after: html`<code>list(c)</code> lists the content; <code>c.logout()</code> logs you out.`,
  },
};

function pythonLines(mode: AccessMode, baseUrl: string): string {
  const key = mode === "single-user" ? ', api_key="THE KEY"' : "";
  const lines = ["from tiled.client import from_uri", "", `c = from_uri(${JSON.stringify(baseUrl)}${key})`];
  if (mode === "mixed") lines.push("c.login()");
  return lines.join("\n");
}
