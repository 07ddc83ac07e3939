/**
 * `/auth/identity`: a program adds an identity to its user's principal, or removes one. It needs an access token of a login
 * that is at most five minutes old (RFC 9470), and for the new identity what the token route of its provider takes: a
 * password, or the one-time code of an application. `people/identities.ts` has the same for browsers.
 */
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { LinkOptions } from "../../domain/linking.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import { Failure } from "../../errors.ts";
import { IdentityQuery, LinkBody, LinkedIdentity } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { noContent } from "../access/access.ts";
import { sessionOf } from "../access/callers.ts";
import { browserOf } from "../access/login-cookie.ts";
import { answerJson } from "../answer.ts";
import type { Links } from "../links.ts";
import type { TypedApp } from "../typed-app.ts";
import type { PasswordProvider } from "./providers.ts";
import type { AuthServices } from "./services.ts";

export interface LinkingDeps {
  readonly services: AuthServices;
  readonly links: Links;
  readonly passwords: readonly PasswordProvider[];
  readonly identityProviders: readonly IdentityProvider[];
}

type Link = { Body: Static<typeof LinkBody> };

export function linkingRoutes(app: TypedApp, deps: LinkingDeps): void {
  const { services } = deps;

  app.post(
    "/api/v1/auth/identity",
    {
      config: { access: "session", body: "json" },
      schema: {
        tags: ["principal"],
        operationId: "linkIdentity",
        summary: "Add an identity to your principal",
        description:
          "Needs a login of the last five minutes, by access token, and what the identity's provider takes at its token route: `username` and `password`, or the one-time `code` of an application.",
        body: LinkBody,
        response: {
          200: LinkedIdentity,
          ...refusals(400, 401, 409, 422, 429),
        },
      },
    },
    async (request, reply) => {
      const { identity, options } = await provenIdentity(deps, request);
      await services.linking.link(sessionOf(request), identity, services.contextOf(request), options);
      return answerJson(reply, { id: identity.id, provider: identity.provider });
    },
  );

  app.delete(
    "/api/v1/auth/identity",
    {
      config: { access: "session" },
      schema: {
        tags: ["principal"],
        operationId: "unlinkIdentity",
        summary: "Remove an identity from your principal",
        description:
          "Needs a login of the last five minutes, by access token. The sessions that the identity opened end. The last identity that can log in stays.",
        querystring: IdentityQuery,
        response: { 204: {}, ...refusals(401, 404, 409, 422) },
      },
    },
    async (request, reply) => {
      await services.linking.unlink(sessionOf(request), request.query, services.contextOf(request));
      return noContent(reply);
    },
  );
}

async function provenIdentity(
  { services, links, passwords, identityProviders }: LinkingDeps,
  request: FastifyRequest<Link>,
): Promise<{ readonly identity: IdentityRef; readonly options: LinkOptions }> {
  const { provider: name, username, password, code, code_verifier: verifier = null } = request.body;
  const context = services.contextOf(request);
  const byPassword = passwords.find((provider) => provider.name === name);
  if (byPassword !== undefined) {
    const credentials = {
      username: required("username", username),
      password: required("password", password),
    };
    const { identity, authenticated } = await services.login.identify(
      name,
      byPassword.authenticator,
      credentials,
      context,
    );
    return { identity, options: { profile: authenticated.profile } };
  }
  const identityProvider = identityProviders.find((provider) => provider.name === name);
  if (identityProvider === undefined) throw new Failure("not_found", { detail: "No such provider" });
  const given = { code: required("code", code), browser: browserOf(request, links), verifier };
  const checked = await services.browserLogins.check(identityProvider, given, context);
  const { id, profile } = checked.authenticated;
  return { identity: { provider: name, id }, options: { code: checked.code, profile } };
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined && value !== "") return value;
  throw new Failure("invalid", { detail: [{ type: "missing", loc: ["body", name], msg: "Field required" }] });
}
