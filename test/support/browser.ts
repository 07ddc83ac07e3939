/**
 * A browser that talks to an application in the test's process: it keeps cookies, asks for pages and fills in forms, and
 * can do no more than a browser can.
 */
import type { LightMyRequestResponse } from "fastify";
import type { TestApp } from "./app.ts";

interface Cookie {
  readonly value: string;
  readonly path: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

export class Browser {
  readonly cookies = new Map<string, Cookie>();
  readonly #t: TestApp;
  readonly #address: string;

  constructor(t: TestApp, address = "192.0.2.10") {
    this.#t = t;
    this.#address = address;
  }

  /** A path or a URL of the application. */
  async open(url: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    return await this.#send("GET", url, undefined, headers);
  }

  /** Fills in a page's form; `fields` stand beside its hidden ones, or in their place. `which`: in its markup. */
  async submit(
    page: LightMyRequestResponse,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
    which = "",
  ): Promise<LightMyRequestResponse> {
    const { action, hidden } = formOf(page, which);
    return await this.post(action, { ...hidden, ...fields }, headers);
  }

  /** As a form of any page would. */
  async post(
    url: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<LightMyRequestResponse> {
    return await this.#send("POST", url, new URLSearchParams(fields).toString(), headers);
  }

  async #send(
    method: "GET" | "POST",
    url: string,
    payload: string | undefined,
    headers: Record<string, string>,
  ): Promise<LightMyRequestResponse> {
    const target = new URL(url, "http://localhost:80");
    const cookie = [...this.cookies]
      .filter(([, { path }]) => target.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
    const response = await this.#t.call({
      method,
      url: target.pathname + target.search,
      remoteAddress: this.#address,
      headers: {
        accept: "text/html,application/xhtml+xml,*/*;q=0.8",
        ...(cookie !== "" && { cookie }),
        ...(payload !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
      ...(payload !== undefined && { payload }),
    });
    for (const { name, value, path = "/", maxAge } of response.cookies) {
      if (maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, { value, path });
    }
    return response;
  }
}

/** The first form of a page with this text in its markup, as a browser reads it. */
export function formOf(
  page: LightMyRequestResponse,
  which = "",
): {
  readonly action: string;
  readonly hidden: Record<string, string>;
} {
  const forms = page.body.matchAll(/<form[^>]* method="post" action="([^"]*)">.*?<\/form>/gs);
  const [form, action] = [...forms].find(([markup]) => markup.includes(which)) ?? [];
  if (form === undefined || action === undefined) {
    throw new Error(`no such form in: ${page.statusCode} ${page.body}`);
  }
  const inputs = form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g);
  return {
    action: unescaped(action),
    hidden: Object.fromEntries([...inputs].map(([, name = "", value = ""]) => [name, unescaped(value)])),
  };
}

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
