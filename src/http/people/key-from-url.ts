/**
 * An API key in a URL that a browser opens. It becomes a cookie at once only if the person opened the address themselves
 * (`isOwnNavigation`) and is not logged in. Otherwise a page asks first, or a link on another site could make the browser act
 * with that site's key (RFC 9700, section 4.7.1).
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { isToken, keyTokenOf } from "../../domain/browser-session.ts";
import type { Callers } from "../../domain/callers/callers.ts";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import { type Caller, isKnown } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
import { useKeyPage } from "../../pages/key-from-url.ts";
import type { Site } from "../../pages/layout.ts";
import { UseKeyBody } from "../../schemas/pages.ts";
import { keepKey, keyInCookie } from "../access/key-cookie.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { readNext } from "../access/next.ts";
import { requestContext } from "../access/request-context.ts";
import { isOwnNavigation, namesNoSource, requireSameOrigin } from "../access/same-origin.ts";
import { sessionSecretOf } from "../access/session-cookie.ts";
import { wantsPage } from "../answer.ts";
import type { AuthServices } from "../auth/services.ts";
import type { Links } from "../links.ts";
import type { Proxies } from "../proxies.ts";
import { keyInUrl, withoutParameters } from "../query.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import { endLogin } from "./logout.ts";
import { seeOther } from "./problem-pages.ts";

export interface KeysOfUrlsDeps {
  readonly site: Site;
  readonly links: Links;
  readonly callers: Callers;
  readonly proxies: Proxies;
  /** Null in the modes without providers. */
  readonly services: AuthServices | null;
}

const PATH = "/login/key";
const API_KEY_PARAMETER: ReadonlySet<string> = new Set(["api_key"]);

export class KeysOfUrls {
  readonly #deps: KeysOfUrlsDeps;

  constructor(deps: KeysOfUrlsDeps) {
    this.#deps = deps;
  }

  /** For a request whose key is valid. True if this has answered it: the browser is sent on, or asked. */
  take(request: FastifyRequest, reply: FastifyReply): boolean | Promise<boolean> {
    const key = keyInUrl(request);
    if (key === null) return false;
    const { links } = this.#deps;
    const isOwn = isOwnNavigation(request);
    if (request.method !== "GET" || !wantsPage(request)) {
      if ((isOwn || isOfProgram(request)) && keyInCookie(request, links) !== key)
        keepKey(request, reply, links, key);
      return false;
    }
    const goOn = (person: string | null) => {
      if (person === null && keyInCookie(request, links) === key) return sendOn(request, reply, links);
      if (person !== null || !isOwn) return this.#ask(request, reply, key, person);
      keepKey(request, reply, links, key);
      return sendOn(request, reply, links);
    };
    const person = this.#person(request);
    return person instanceof Promise ? person.then(goOn) : goOn(person);
  }

  routes(app: TypedApp): void {
    const { links, callers, proxies, services } = this.#deps;
    app.post(
      PATH,
      {
        config: { access: "page", body: "form", formToken: true },
        schema: { hide: true, body: UseKeyBody },
      },
      async (request, reply) => {
        requireSameOrigin(request, links);
        const { token, key = "", next } = request.body;
        const browser = browserOf(request, links);
        if (browser === null || !isToken(token, keyTokenOf(browser, key))) {
          throw new Failure("csrf", { detail: "The form's token is missing or belongs to another browser." });
        }
        await callers.identify(
          { kind: "api_key", secret: key },
          () => requestContext(request, proxies, null),
          {
            noted: true,
          },
        );
        if (services !== null) await endLogin({ services, links }, request, reply);
        keepKey(request, reply, links, key);
        const base = links.base(request);
        return seeOther(reply, readNext(next, { base, hosts: [] })?.href ?? `${base}/`);
      },
    );
  }

  /** The identity that this browser is logged in with. */
  #person(request: FastifyRequest): string | null | Promise<string | null> {
    const { services, links } = this.#deps;
    const secret = services === null ? null : sessionSecretOf(request, links);
    if (services === null || secret === null) return null;
    const loggedOut = (error: unknown) => {
      if (error instanceof Failure && error.status < 500) return null;
      throw error;
    };
    try {
      const person = services.browserSessions.identify(secret);
      return person instanceof Promise
        ? person.then(({ identity }) => identity.id, loggedOut)
        : person.identity.id;
    } catch (error) {
      return loggedOut(error);
    }
  }

  #ask(request: FastifyRequest, reply: FastifyReply, key: string, person: string | null): true {
    const { site, links } = this.#deps;
    const browser = browserOf(request, links) ?? newBrowserSecret();
    keepBrowser(request, reply, links, browser);
    const next = links.path(request) + withoutParameters(request.url, API_KEY_PARAMETER);
    const page = useKeyPage({
      site,
      basePath: links.rootPath,
      action: links.rootPath + PATH,
      token: keyTokenOf(browser, key),
      key,
      next,
      owner: ownerOf(request.caller),
      person,
    });
    sendPage(reply, page, { noStore: true });
    return true;
  }
}

/**
 * A program says nothing of the page that it comes from, and keeps its own cookies. Without HTTPS a browser names the origin
 * alone, also for a form of another site. An old browser does not name it for an image, but calls itself Mozilla.
 */
function isOfProgram(request: FastifyRequest): boolean {
  return namesNoSource(request) && request.headers["user-agent"]?.startsWith("Mozilla/") !== true;
}

function sendOn(request: FastifyRequest, reply: FastifyReply, links: Links): true {
  reply.header("cache-control", "no-store");
  reply.redirect(links.base(request) + withoutParameters(request.url, API_KEY_PARAMETER), 302);
  return true;
}

function ownerOf(caller: Caller): string | null {
  if (!isKnown(caller)) return null;
  const [identity] = caller.principal.identities;
  return identity?.id ?? `service ${caller.principal.uuid}`;
}
