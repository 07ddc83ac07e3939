/**
 * What a browser sees if one of our pages cannot be shown: the login page if that helps, else a page that says what to do next.
 * Programs get the same failure as JSON (`http/errors.ts`), and so do all requests below `/api`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Failure } from "../../errors.ts";
import type { Site } from "../../pages/layout.ts";
import { type Problem, problemPage } from "../../pages/problem.ts";
import { isForPerson } from "../access/kinds.ts";
import { wantsPage } from "../answer.ts";
import type { Links } from "../links.ts";
import { SAFE_METHODS } from "../methods.ts";
import { routeOf } from "../route.ts";
import { sendPage } from "../send-page.ts";

export interface ProblemPagesDeps {
  readonly site: Site;
  readonly links: Links;
  readonly accounts: boolean;
}

/** Codes of failures that a login helps against. */
export const TO_LOGIN: ReadonlySet<string> = new Set(["login_needed", "browser_login_over"]);

export class ProblemPages {
  readonly #deps: ProblemPagesDeps;

  constructor(deps: ProblemPagesDeps) {
    this.#deps = deps;
  }

  /** False for a failure that is answered as JSON. */
  answers(failure: Failure, request: FastifyRequest, reply: FastifyReply): boolean {
    // Under an unknown host name a page would not get its stylesheet either.
    if (!wantsPage(request) || !isPage(request) || failure.code === "unknown_host") return false;
    const { links } = this.#deps;
    if (TO_LOGIN.has(failure.code)) {
      const next = SAFE_METHODS.has(request.method)
        ? links.rootPath + request.url
        : `${links.rootPath}/account`;
      toLogin(request, reply, links, { next });
    } else {
      this.send(failure, request, reply);
    }
    return true;
  }

  send(failure: Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { site, links, accounts } = this.#deps;
    return sendProblem(failure, request, reply, {
      site,
      basePath: links.rootPath,
      accounts,
      challenge: "Bearer",
    });
  }
}

interface ProblemAt extends Pick<Problem, "site" | "basePath" | "accounts"> {
  /** Of an answer 401. */
  readonly challenge: string;
}

export function sendProblem(
  { code, status, headers }: Failure,
  request: FastifyRequest,
  reply: FastifyReply,
  { challenge, ...at }: ProblemAt,
): FastifyReply {
  if (status === 401) reply.header("www-authenticate", challenge);
  reply.headers(headers);
  const retryAfter = Number(headers["retry-after"]);
  const page = problemPage({
    ...at,
    code,
    status,
    requestId: request.id,
    ...(retryAfter > 0 && { retryAfter }),
  });
  return sendPage(reply, page, { status, noStore: true });
}

function isPage(request: FastifyRequest): boolean {
  const { url, access } = routeOf(request);
  if (url === undefined) return !request.url.startsWith("/api/");
  return access === "page" || isForPerson(access);
}

/** `again`: even if the browser is logged in. */
export function toLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Links,
  { next, again = false }: { readonly next: string; readonly again?: boolean },
): FastifyReply {
  const query = new URLSearchParams({ next, ...(again && { again: "1" }) });
  return seeOther(reply, `${links.base(request)}/login?${query}`);
}

/** Redirects to another page with GET (RFC 9110, section 15.4.4). */
export function seeOther(reply: FastifyReply, url: string): FastifyReply {
  return reply.header("cache-control", "no-store").redirect(url, 303);
}
