/**
 * `POST /auth/provider/{provider}/code` and `GET …/metadata`: a SAML provider lets the browser post its answer from its own
 * site (SAML Bindings, section 3.5). It is the only form that other sites may send. `SameSite=Lax` keeps cookies away from it,
 * so the browser is sent on to the GET of `browser.ts` or `device.ts`, which needs them.
 */
import type { FastifyRequest } from "fastify";
import type { BrowserLogins } from "../../domain/login/browser-login.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import { isOursByState } from "../../domain/login/sealed-login.ts";
import type { PostedLogin } from "../../domain/ports/authenticator.ts";
import { refusals } from "../../schemas/errors.ts";
import { PostedForm, Redirect } from "../../schemas/provider-login.ts";
import { requireNavigation } from "../access/navigation.ts";
import type { AuthServices } from "../auth/services.ts";
import type { TypedApp } from "../typed-app.ts";
import { type FailurePage, failurePages, type PageContext } from "./failure-pages.ts";

export interface PostedRoutes extends PageContext {
  readonly services: AuthServices;
  readonly logins: BrowserLogins;
}

/** 256 kB of XML as base64 in a form, in which `+`, `/` and line breaks have three characters each. */
const BODY_LIMIT = 640 * 1024;

export function postedRoutes(
  app: TypedApp,
  options: PostedRoutes,
  provider: IdentityProvider,
  posted: PostedLogin,
): void {
  const { services, logins, links } = options;
  const path = `/api/v1/auth/provider/${provider.name}`;

  app.post(
    `${path}/code`,
    {
      config: { access: "public", body: "form", crossSite: true },
      onRequest: requireNavigation,
      bodyLimit: BODY_LIMIT,
      errorHandler: (error, request, reply) =>
        failurePages(options, failurePageOf(provider, request, links.rootPath))(error, request, reply),
      schema: {
        tags: ["login"],
        operationId: "postProviderAnswer",
        summary: "Take the answer that a SAML provider lets the browser post",
        consumes: ["application/x-www-form-urlencoded"],
        body: PostedForm,
        response: { 303: Redirect, ...refusals(401, 403, 413, 415, 422, 429) },
      },
    },
    async (request, reply) => {
      const { SAMLResponse: answer, RelayState: state = "" } = request.body;
      const { outcome, page } = await logins.receive(
        provider,
        { answer, state },
        services.contextOf(request),
      );
      const query =
        "code" in outcome
          ? { state, code: outcome.code }
          : { state, error: "access_denied", error_description: outcome.refused.slice(0, 300) };
      const target = page ?? `${links.rootPath}${path}/code`;
      return reply
        .header("cache-control", "no-store")
        .redirect(`${target}?${new URLSearchParams(query)}`, 303);
    },
  );

  app.get(
    `${path}/metadata`,
    {
      config: { access: "public" },
      schema: {
        tags: ["login"],
        operationId: "getProviderMetadata",
        summary: "This server's SAML metadata, for the provider",
        response: {
          200: {
            description: "SAML 2.0 metadata",
            content: { "application/samlmetadata+xml": { schema: { type: "string" } } },
          },
        },
      },
    },
    async (_request, reply) =>
      reply
        .header("content-type", "application/samlmetadata+xml; charset=utf-8")
        .send(await posted.metadata()),
  );
}

/** Whether a page of ours or a program began the login shows in its state. */
function failurePageOf({ name }: IdentityProvider, request: FastifyRequest, rootPath: string): FailurePage {
  const { RelayState: state = "" } = (request.body ?? {}) as { readonly RelayState?: string };
  const known = { provider: name, redirect: null, always: true };
  if (isOursByState(state)) return { ...known, begun: "page", onward: `${rootPath}/account` };
  return { ...known, begun: /^[0-9a-f]{64}$/.test(state) ? "program" : "browser", onward: null };
}
