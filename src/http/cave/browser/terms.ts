/**
 * `/sticky_auth/api/v1/tos/{id}/accept`: terms of service, and the form that accepts them. Services send browsers here, and
 * caveclient opens the address that a service answers as `tos_form_url`. Which permissions wait for which terms is worked out
 * in `domain/cave/rules.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { CaveLogins } from "../../../domain/cave/logins.ts";
import type { CavePeople } from "../../../domain/cave/people.ts";
import type { CaveTerms } from "../../../domain/model/cave.ts";
import { Failure } from "../../../errors.ts";
import { termsAcceptedPage, termsPage } from "../../../pages/cave/terms.ts";
import { CaveTermsBody, CaveTermsQuery } from "../../../schemas/pages.ts";
import { personOf } from "../../access/callers.ts";
import { seeOther } from "../../people/problem-pages.ts";
import { sendPage } from "../../send-page.ts";
import type { TypedApp } from "../../typed-app.ts";
import { handedOrigins, LONGEST_REDIRECT, type Redirect, readRedirect, withToken } from "../redirects.ts";
import type { CavePageDeps } from "./deps.ts";
import { csrfFieldOf } from "./session.ts";

export interface TermsDeps extends CavePageDeps {
  readonly people: CavePeople;
  readonly logins: Pick<CaveLogins, "issue">;
}

const PATH = "/api/v1/tos/:id/accept";
const NEUROGLANCER = "ng";

/** What a request asks for. */
interface Asked {
  readonly terms: CaveTerms;
  readonly redirect: Redirect;
  /** A viewer's popup waits for a message. */
  readonly isPopup: boolean;
  /** The page's address, with the parts of its query that count. */
  readonly href: string;
}

export function termsRoutes(app: TypedApp, deps: TermsDeps): void {
  const { gates, people, services } = deps;
  const params = Type.Object({ id: Type.String() });
  const schema = { hide: true, params, querystring: CaveTermsQuery };

  // The pages' login counts below the other prefix only.
  app.get(`/auth${PATH}`, { config: { access: { gate: gates.anyone } }, schema }, (request, reply) =>
    seeOther(reply, askedOf(deps, request).href),
  );

  app.get(
    `/sticky_auth${PATH}`,
    { config: { access: { gate: gates.anyone } }, schema },
    async (request, reply) => {
      const asked = askedOf(deps, request);
      if (request.caller.kind !== "browser") return toLogin(deps, reply, asked);
      return await show(deps, request, reply, asked, {});
    },
  );

  app.post(
    `/sticky_auth${PATH}`,
    {
      config: { access: { gate: gates.person }, body: "form", formToken: true },
      schema: { ...schema, body: CaveTermsBody },
    },
    async (request, reply) => {
      const asked = askedOf(deps, request);
      if (request.body.tos_agree !== "true") {
        return await show(deps, request, reply, asked, { unticked: true });
      }
      const { principal } = personOf(request);
      await people.acceptTerms(principal.uuid, asked.terms, services.contextOf(request));
      return await goOn(deps, request, reply, asked);
    },
  );
}

/** Back here after the login, without the address to go on to if that is too long when it is encoded once more. */
function toLogin({ links }: TermsDeps, reply: FastifyReply, { terms, href }: Asked): FastifyReply {
  return seeOther(reply, links.authorize(href.length <= LONGEST_REDIRECT ? href : links.tos(terms.id)));
}

/** Checks the address to go on to before the login. Fails with `not_found` and `redirect_refused`. */
function askedOf({ rules, links }: TermsDeps, request: FastifyRequest): Asked {
  const { current } = rules;
  const { id } = request.params as { readonly id: string };
  const terms = /^[1-9]\d{0,9}$/.test(id) ? current.terms(Number(id)) : undefined;
  if (terms === undefined) throw new Failure("not_found");
  const { redirect: given, client } = request.query as {
    readonly redirect?: unknown;
    readonly client?: string;
  };
  const redirect = readRedirect(given, links, current);
  if (redirect.kind === "refused") throw new Failure("redirect_refused");
  const isPopup = client === NEUROGLANCER;
  const query = new URLSearchParams({
    ...("url" in redirect && { redirect: redirect.url.href }),
    ...(isPopup && { client: NEUROGLANCER }),
  }).toString();
  return { terms, redirect, isPopup, href: links.tos(terms.id) + (query === "" ? "" : `?${query}`) };
}

async function show(
  { site, links, people }: TermsDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { terms, redirect, href }: Asked,
  { unticked = false }: { readonly unticked?: boolean },
): Promise<FastifyReply> {
  const { principal, identity } = personOf(request);
  const person = await people.person(principal.uuid);
  const handed = redirect.kind === "handed" ? redirect.url : null;
  const page = termsPage({
    site,
    basePath: links.stickyPath,
    name: terms.name,
    text: terms.text,
    action: href,
    csrf: csrfFieldOf(request, links),
    person: identity.id,
    accepted: person?.acceptedTos.includes(terms.id) === true,
    unticked,
    destination: handed?.host ?? null,
  });
  const formAction = handed === null ? [] : [handed.origin];
  return sendPage(reply, page, { status: unticked ? 400 : 200, noStore: true, formAction });
}

async function goOn(
  { site, links, rules, logins, services }: TermsDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { terms, redirect, isPopup }: Asked,
): Promise<FastifyReply> {
  const accepted = { site, basePath: links.stickyPath, name: terms.name };
  if (isPopup) {
    const toldOrigins = handedOrigins(links, rules.current.settings.origins);
    return sendPage(reply, termsAcceptedPage({ ...accepted, toldOrigins }), { noStore: true, script: true });
  }
  if (redirect.kind === "own") return seeOther(reply, redirect.url.href);
  if (redirect.kind === "handed") {
    const { url } = redirect;
    const token = await logins.issue(personOf(request), url.origin, services.contextOf(request));
    return seeOther(reply, withToken(url, token, links));
  }
  return sendPage(reply, termsAcceptedPage({ ...accepted, toldOrigins: null }), { noStore: true });
}
