/**
 * Lasting changes to an account need a login of the last five minutes (RFC 9470). After an older one the person logs in again,
 * and the browser comes back to a page with the same button, valid in this browser only.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { formTokenOf, goOnTokenOf, isToken } from "../../domain/browser-session.ts";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import { goOnPage } from "../../pages/go-on.ts";
import { type AccountAction, isAccountAction } from "../../pages/go-on-words.ts";
import { GoOnQuery } from "../../schemas/pages.ts";
import { personOf } from "../access/callers.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { sessionSecretOf } from "../access/session-cookie.ts";
import { sendPage } from "../send-page.ts";
import type { AccountDeps } from "./account-deps.ts";
import { seeOther, toLogin } from "./problem-pages.ts";

type Fields = Readonly<Record<string, string>>;

const PATH = "/account/go-on";
/** Characters of the address that the login leads back to. */
const LONGEST = 1800;

export function goOnRoute(app: FastifyInstance, deps: AccountDeps): void {
  const { site, links } = deps;
  app.get(
    PATH,
    { config: { access: "person" }, schema: { hide: true, querystring: GoOnQuery } },
    (request, reply) => {
      const { proof, action = "", ...fields } = request.query as Fields;
      const browser = browserOf(request, links);
      const isOurs = browser !== null && isToken(proof, goOnTokenOf(browser, canonical(action, fields)));
      if (!isOurs || !isAccountAction(action)) return seeOther(reply, `${links.base(request)}/account`);
      const page = goOnPage({
        site,
        basePath: links.rootPath,
        name: personOf(request).identity.id,
        action,
        token: formTokenOf(sessionSecretOf(request, links) ?? ""),
        fields,
      });
      return sendPage(reply, page, { noStore: true });
    },
  );
}

/** Undefined after a fresh login; else the answer, which asks for a new one. */
export function askAgain(
  { links, services }: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  action: AccountAction,
): FastifyReply | undefined {
  if (services.linking.isFresh(personOf(request))) return undefined;
  const { token: _, ...fields } = (request.body ?? {}) as Fields;
  const browser = browserOf(request, links) ?? newBrowserSecret();
  keepBrowser(request, reply, links, browser);
  const whole = goOnUrl(browser, action, fields);
  const { note: _note, ...others } = fields;
  // A note that is too long for an address has to be typed again; other fields are short.
  const next = links.rootPath + (whole.length <= LONGEST ? whole : goOnUrl(browser, action, others));
  return toLogin(request, reply, links, { next, again: true });
}

function goOnUrl(browser: string, action: string, fields: Fields): string {
  const proof = goOnTokenOf(browser, canonical(action, fields));
  return `${PATH}?${new URLSearchParams({ ...fields, action, proof })}`;
}

function canonical(action: string, fields: Fields): string {
  return JSON.stringify([action, ...Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
