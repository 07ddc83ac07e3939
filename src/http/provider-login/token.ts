/**
 * `POST /auth/provider/{provider}/token` at a provider with login pages of its own: a program polls for the tokens of its device login
 * (RFC 8628, section 3.4), or an application exchanges its one-time code (RFC 6749, section 4.1.3).
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { BrowserLogins } from "../../domain/login/browser-login.ts";
import type { DeviceLogins, Poll } from "../../domain/login/device.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { DeviceRefusal } from "../../domain/ports/logins.ts";
import { Failure } from "../../errors.ts";
import { LoginAnswer } from "../../schemas/auth.ts";
import { GrantProblem } from "../../schemas/errors.ts";
import { GrantBody } from "../../schemas/provider-login.ts";
import { isForm } from "../access/body-types.ts";
import { browserOf } from "../access/login-cookie.ts";
import { answerJson } from "../answer.ts";
import type { AuthServices } from "../auth/services.ts";
import type { Links } from "../links.ts";
import { noteLogin } from "../logging.ts";
import type { TypedApp } from "../typed-app.ts";
import { type GrantError, grantErrors, oauthError, refuseGrant } from "./oauth.ts";

export interface TokenRoutes {
  readonly services: AuthServices;
  readonly devices: DeviceLogins;
  readonly browsers: BrowserLogins;
  readonly links: Links;
}

export function tokenRoute(app: TypedApp, options: TokenRoutes, provider: IdentityProvider): void {
  const { services, devices, browsers, links } = options;

  app.post(
    `/api/v1/auth/provider/${provider.name}/token`,
    {
      config: { access: "public", counted: true, body: "form or json" },
      errorHandler: grantErrors(links),
      schema: {
        tags: ["login"],
        operationId: "createTokens",
        summary: "Tokens for a device login or for an application's one-time code",
        consumes: ["application/json", "application/x-www-form-urlencoded"],
        body: GrantBody,
        response: {
          200: LoginAnswer,
          400: GrantProblem,
          401: GrantProblem,
          403: GrantProblem,
          404: GrantProblem,
          422: GrantProblem,
        },
      },
    },
    async (request, reply) => {
      const { grant_type, device_code, code, code_verifier: verifier = null } = request.body;
      const context = services.contextOf(request);
      switch (grant_type) {
        case "urn:ietf:params:oauth:grant-type:device_code": {
          const poll = await devices.poll(provider.name, required("device_code", device_code), context);
          return answerPoll(request, reply, poll);
        }
        case "authorization_code": {
          const given = { code: required("code", code), browser: browserOf(request, links), verifier };
          const answer = await browsers.redeem(provider, given, context);
          noteLogin(request, answer);
          return answerJson(reply, answer);
        }
        default:
          return refuseType(request, reply);
      }
    },
  );
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new Failure("invalid", { detail: [{ type: "missing", loc: ["body", name], msg: "Field required" }] });
}

function refuseType(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isForm(request)) return refuseGrant(reply, "unsupported_grant_type");
  throw new Failure("invalid", {
    detail: [{ type: "enum", loc: ["body", "grant_type"], msg: "This provider does not have this grant" }],
  });
}

const OAUTH: Readonly<Record<Exclude<Poll["kind"], "answer">, GrantError>> = {
  malformed: "invalid_grant",
  unknown: "invalid_grant",
  expired: "expired_token",
  pending: "authorization_pending",
  refused: "access_denied",
};

function answerPoll(request: FastifyRequest, reply: FastifyReply, poll: Poll): FastifyReply {
  if (poll.kind === "answer") {
    noteLogin(request, poll.answer);
    return answerJson(reply, poll.answer);
  }
  if (poll.kind === "pending") request.remark = "poll";
  const reason = poll.kind === "refused" ? REASONS[poll.reason] : undefined;
  if (isForm(request)) return refuseGrant(reply, OAUTH[poll.kind], reason);
  switch (poll.kind) {
    case "malformed":
      reply.header("www-authenticate", "Bearer");
      return answerJson(reply, { detail: "Invalid device code" }, 401);
    case "unknown":
    case "expired":
      return answerJson(reply, { detail: "No such device_code. The pending request may have expired." }, 404);
    case "pending":
      return answerJson(reply, PENDING, 400);
    case "refused":
      return answerJson(reply, { detail: oauthError("access_denied", reason) }, 403);
  }
}

const PENDING = { detail: oauthError("authorization_pending") };

/** For the person who uses the program. */
const REASONS: Readonly<Record<DeviceRefusal, string>> = {
  cancelled: "The login was cancelled in the browser.",
  denied_by_provider: "The login was refused at the provider.",
  wrong_codes: "Too many wrong codes were typed in the browser. Start the login again.",
  principal_disabled: "This account is disabled. Ask the operator of the server.",
  other_spelling: "This name is known in another spelling. Log in with the spelling you used before.",
  session_limit: "This account has too many sessions. Log out somewhere, then start the login again.",
};
