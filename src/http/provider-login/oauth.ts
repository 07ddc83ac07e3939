/**
 * Refusals of a grant in two shapes: OAuth's, with the error at top level, for requests that send a form (RFC 6749, section
 * 5.2); Tiled's, inside of `detail` and with other statuses, for those that send JSON as Tiled's clients do.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../../errors.ts";
import { isForm } from "../access/body-types.ts";
import { answerJson } from "../answer.ts";
import { logFailure, sendFailure, toFailure } from "../errors.ts";
import type { Links } from "../links.ts";

export type GrantError =
  | "invalid_request"
  | "invalid_grant"
  | "unsupported_grant_type"
  | "access_denied"
  | "expired_token"
  | "authorization_pending"
  | "temporarily_unavailable"
  | "server_error";

export function refuseGrant(
  reply: FastifyReply,
  error: GrantError,
  description?: string,
  status = 400,
): FastifyReply {
  return answerJson(reply, oauthError(error, description), status);
}

/** The body of OAuth's error answer; in Tiled's shape it is the `detail`. */
export function oauthError(error: GrantError, description?: string) {
  return description === undefined ? { error } : { error, error_description: description };
}

/** The error handler of a route that answers in both shapes. */
export function grantErrors(links: Links) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = toFailure(error, request);
    if (!isForm(request)) {
      sendFailure(inDetail(failure), request, reply, links);
      return;
    }
    logFailure(failure, request);
    reply.headers(failure.headers);
    const status = failure.status >= 500 || failure.status === 429 ? failure.status : 400;
    refuseGrant(reply, errorOf(failure), describe(failure), status);
  };
}

/** A refused code is a 400 in both shapes. */
function inDetail(failure: Failure): Failure {
  if (failure.code !== "login_over") return failure;
  const detail = oauthError("invalid_grant", describe(failure));
  return new Failure("bad_request", { detail, log: failure.message });
}

function errorOf({ code, status }: Failure): GrantError {
  if (code === "login_over") return "invalid_grant";
  if (code === "limit_reached" || code === "no_principal") return "access_denied";
  if (status === 503 || status === 429) return "temporarily_unavailable";
  return status >= 500 ? "server_error" : "invalid_request";
}

function describe({ code, detail }: Failure): string {
  if (code === "login_over") return "The code is unknown, was used already, or has expired.";
  if (typeof detail === "string") return detail;
  if (!Array.isArray(detail)) return "The request is not valid.";
  return detail.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`).join("; ");
}
