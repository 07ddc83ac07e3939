/**
 * The credential that a request presents, in this order: `?api_key=`, the header `Authorization`, and last the cookies that a
 * browser sends by itself: its login (`session-cookie.ts`), then a key that it keeps (`key-cookie.ts`).
 */
import type { FastifyRequest } from "fastify";
import type { Credential } from "../../domain/callers/callers.ts";
import { Failure } from "../../errors.ts";
import { keyInUrl, parameter } from "../query.ts";
import { routeOf } from "../route.ts";

export type Presented = Credential & {
  /** In a cookie, which a browser sends whether or not its user wants that. */
  readonly ambient?: true;
};

declare module "fastify" {
  interface FastifyContextConfig {
    /** Accepts an access token as `?access_token=` (RFC 6750, section 2.3), since a browser cannot send a header here. */
    tokenInQuery?: true;
  }
  interface FastifyRequest {
    /** The credential that counted; `none` for a browser's login, too. */
    presented: Presented;
  }
}

export const NO_CREDENTIAL: Presented = { kind: "none" };

/** The credential that was sent on purpose; an empty value counts as none. */
export function explicitCredential(request: FastifyRequest): Presented {
  const inQuery = keyInUrl(request);
  if (inQuery !== null) return { kind: "api_key", secret: inQuery };
  const header = readAuthorization(request.raw.headers.authorization);
  if (header.kind === "api_key" || routeOf(request).tokenInQuery !== true) return header;
  const token = parameter(request, "access_token");
  return token === null ? header : { kind: "bearer", token };
}

function readAuthorization(header: string | undefined): Presented {
  const text = header?.trim() ?? "";
  if (text === "") return NO_CREDENTIAL;
  const space = text.indexOf(" ");
  const scheme = space === -1 ? text : text.slice(0, space);
  const value = space === -1 ? "" : text.slice(space + 1).trimStart();
  switch (scheme.toLowerCase()) {
    case "apikey":
      return value === "" ? NO_CREDENTIAL : { kind: "api_key", secret: value };
    case "bearer":
      return value === "" ? NO_CREDENTIAL : { kind: "bearer", token: value };
    default:
      throw new Failure("bad_authorization");
  }
}
