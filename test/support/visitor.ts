/**
 * A browser as small as a test needs it: cookies by host, redirects, and forms. Pages in a real browser are for the
 * browser tests.
 */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly text: string;
}

export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Goes there and follows redirects, until one leads to `until` (by origin and path) or a page is shown. */
  async open(url: URL | string, until?: string, init: RequestInit = {}): Promise<Page> {
    let next = new URL(url);
    let request = init;
    for (let hops = 0; hops < 20; hops++) {
      if (until !== undefined && next.origin + next.pathname === until) {
        return { url: next, status: 0, text: "" };
      }
      const response = await fetch(next, {
        ...request,
        redirect: "manual",
        headers: { ...request.headers, cookie: this.#header(next) },
      });
      this.#keep(next, response.headers.getSetCookie());
      const location = response.headers.get("location");
      if (location === null) return { url: next, status: response.status, text: await response.text() };
      await response.body?.cancel();
      next = new URL(location, next);
      request = {};
    }
    throw new Error(`too many redirects, the last to ${next.origin}${next.pathname}`);
  }

  /** Sends the page's first form with these fields, its hidden ones kept. */
  async submit(page: Page, fields: Readonly<Record<string, string>>, until?: string): Promise<Page> {
    const action = /<form[^>]*\saction="([^"]*)"/.exec(page.text)?.[1];
    const body = new URLSearchParams();
    for (const [input] of page.text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(input)?.[1] ?? "";
      body.set(attribute("name"), attribute("value"));
    }
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const target = new URL(action?.replaceAll("&amp;", "&") ?? page.url, page.url);
    return this.open(target, until, { method: "POST", body });
  }

  #header(url: URL): string {
    const own = this.#cookies.get(url.hostname) ?? new Map<string, string>();
    return [...own].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  #keep(url: URL, lines: readonly string[]): void {
    const own = this.#cookies.get(url.hostname) ?? new Map<string, string>();
    this.#cookies.set(url.hostname, own);
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      const value = pair.slice(pair.indexOf("=") + 1);
      if (value === "" || attributes.some((one) => /^\s*max-age=0$/i.test(one))) own.delete(name);
      else own.set(name, value);
    }
  }
}
