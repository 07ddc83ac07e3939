/**
 * Errors below CAVE's prefixes, in the form that its clients read: `{"error", "message", "data"}`, and for a refused token the
 * address to log in at (RFC 6750, section 3). The codes are those of `src/errors.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { FAILURES, type Failure, type FailureCode } from "../../errors.ts";
import { gateOf } from "../access/kinds.ts";
import { JSON_TYPE } from "../answer.ts";
import { type ErrorBody, errorBody, type FailurePages } from "../errors.ts";
import { routeOf } from "../route.ts";
import { isApiPath } from "./paths.ts";

const INVALID_TOKEN = "The token is unknown, revoked or expired.";
const RETRY_AFTER = "1";

export class CaveFailures implements FailurePages {
  readonly #pages: FailurePages;
  readonly #realm: string;

  /** `pages`: for all other paths, and for pages below the prefixes. `realm`: the address to log in at. */
  constructor(pages: FailurePages, realm: string) {
    this.#pages = pages;
    this.#realm = realm;
  }

  answers(failure: Failure, request: FastifyRequest, reply: FastifyReply): boolean {
    const isApi = isApiPath(request.url);
    if (!isApi || isPage(request)) {
      const isAnswered = this.#pages.answers(failure, request, reply);
      if (isAnswered || !isApi) return isAnswered;
    }
    const { status } = failure;
    reply.headers(failure.headers);
    const challenge = challengeOf(failure, this.#realm);
    if (challenge !== null) reply.header("www-authenticate", challenge);
    // Clients that try again after a 503 wait as long as this says.
    if (status === 503 && !reply.hasHeader("retry-after")) reply.header("retry-after", RETRY_AFTER);
    reply
      .code(status)
      .header("cache-control", "no-store")
      .header("content-type", JSON_TYPE)
      .send(caveError(failure));
    return true;
  }
}

/** Some pages are below the prefixes. */
function isPage(request: FastifyRequest): boolean {
  const { access } = routeOf(request);
  const gate = gateOf(access);
  return gate === undefined ? access === "page" : gate.scheme === undefined;
}

/** The body of an error's answer at any path. */
export const bodyOfError: ErrorBody = (failure, url) =>
  isApiPath(url) ? caveError(failure) : errorBody(failure, url);

function caveError(failure: Failure): string {
  const { code, detail } = failure;
  if (isRefusedToken(failure)) return body("invalid_token", INVALID_TOKEN);
  if (typeof detail === "string") return body(code, detail);
  return body(code, FAILURES[code].detail, Array.isArray(detail) ? { problems: detail } : detail);
}

function body(error: FailureCode, message: string, data: object = {}): string {
  return JSON.stringify({ error, message, data });
}

/** A credential is invalid for several reasons, and clients know one error for all. */
function isRefusedToken({ code, status }: Failure): boolean {
  return status === 401 && code !== "no_token";
}

function challengeOf(failure: Failure, realm: string): string | null {
  const challenge = `Bearer realm="${realm}"`;
  if (isRefusedToken(failure))
    return `${challenge}, error="invalid_token", error_description="${INVALID_TOKEN}"`;
  switch (failure.code) {
    case "no_token":
      return challenge;
    case "bad_auth_header":
      return `${challenge}, error="invalid_request", error_description="${String(failure.detail)}"`;
    default:
      return null;
  }
}
