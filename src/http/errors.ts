/**
 * The one place that turns an error into an answer. Only the public text leaves the server; the detail goes to the request's
 * log line. An error outside the table in `errors.ts` is a 500 and is logged with its stack.
 */
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { Failure, type FailureCode } from "../errors.ts";
import { JSON_TYPE, toJson } from "./answer.ts";
import type { Cors } from "./cors.ts";
import type { Links } from "./links.ts";
import { METHODS } from "./methods.ts";
import { routeOf } from "./route.ts";
import { problemsOf } from "./validation.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Why the request was refused, for its log line. */
    failure: Failure | null;
  }
  interface FastifyContextConfig {
    /** The route only says that its methods are not allowed. */
    refusesMethod?: true;
  }
}

/** Fastify's own errors that a client can cause. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [FailureCode, string?]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["media_type"],
  FST_ERR_CTP_BODY_TOO_LARGE: ["too_large"],
  FST_ERR_CTP_INVALID_JSON_BODY: ["bad_request", "The body is not valid JSON."],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["bad_request", "The body is empty: send JSON."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["bad_request", "The body's size does not match its Content-Length."],
  FST_ERR_BAD_URL: ["bad_request", "The path is not properly percent-encoded."],
  FST_ERR_MAX_PARAM_LENGTH: ["not_found"],
  FST_ERR_NOT_FOUND: ["not_found"],
};

/** Shows failures to people. `answers` returns false for those that are answered as JSON. */
export interface FailurePages {
  answers(failure: Failure, request: FastifyRequest, reply: FastifyReply): boolean;
}

export function answerErrors(app: FastifyInstance, links: Links, pages: FailurePages): void {
  const answer = (failure: Failure, request: FastifyRequest, reply: FastifyReply) => {
    if (pages.answers(failure, request, reply)) logFailure(failure, request);
    else sendFailure(failure, request, reply, links);
  };
  app.decorateRequest("failure", null);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    answer(toFailure(error, request), request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    answer(new Failure("not_found"), request, reply);
  });
}

export function toFailure(error: unknown, request: FastifyRequest): Failure {
  if (error instanceof Failure) return error;
  const { code, validation, validationContext, statusCode } = error as Partial<FastifyError>;
  if (validation !== undefined) {
    return new Failure("invalid", { detail: problemsOf(validation, validationContext ?? "body") });
  }
  const known = code === undefined ? undefined : CLIENT_ERRORS[code];
  if (known !== undefined) {
    const [failure, detail] = known;
    return new Failure(failure, { ...(detail === undefined ? {} : { detail }), log: code ?? "" });
  }
  // A body that broke off, or whose keys the JSON parser refuses. The message is not logged, since it may quote the body.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Failure("bad_request", { log: `refused by the HTTP layer: ${code ?? "bad request"}` });
  }
  if (outOfFiles(error)) {
    return new Failure("files_exhausted", { cause: error, headers: { "retry-after": "1" } });
  }
  request.log.error({ err: error }, "unexpected error");
  return new Failure("internal", { cause: error });
}

/** The process or the machine has run out of file descriptors, for the moment. */
function outOfFiles(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1)
    if ("code" in cause && (cause.code === "EMFILE" || cause.code === "ENFILE")) return true;
  return false;
}

/** Notes the failure for the request's log line. Failures of ours or of a backend also get a line of their own. */
export function logFailure(failure: Failure, request: FastifyRequest): void {
  request.failure = failure;
  if (failure.status >= 500 && failure.code !== "internal") {
    request.log.error({ err: failure.cause ?? failure, code: failure.code }, failure.message);
  }
}

export function sendFailure(
  failure: Failure,
  request: FastifyRequest,
  reply: FastifyReply,
  links: Links,
): void {
  logFailure(failure, request);
  reply.headers(failure.headers);
  if (failure.status === 401) {
    if (failure.headers["www-authenticate"] === undefined) reply.header("www-authenticate", "Bearer");
    const { access } = routeOf(request);
    if (access !== undefined && access !== "public")
      reply.header("x-tiled-root", `${links.base(request)}/api/v1`);
  }
  reply.code(failure.status).header("content-type", JSON_TYPE).send(errorBody(failure, request.url));
}

/**
 * Answers 405 with `Allow` for a path that exists for other methods (RFC 9110, section 15.5.6). To call before the first
 * route; what it returns, after the last one.
 */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const methodsByUrl = new Map<string, { readonly answered: Set<string>; readonly refused: Set<string> }>();
  let complete = false;
  app.addHook("onRoute", ({ url, method, config }) => {
    if (complete) return;
    const methods = methodsByUrl.get(url) ?? { answered: new Set(), refused: new Set() };
    const among = config?.refusesMethod === true ? methods.refused : methods.answered;
    for (const name of [method].flat()) among.add(name);
    methodsByUrl.set(url, methods);
  });
  return () => {
    complete = true;
    for (const [url, { answered, refused }] of methodsByUrl) {
      // A path of which only changes are refused does not exist otherwise.
      if (answered.size === 0) continue;
      const others = METHODS.filter((name) => !answered.has(name) && !refused.has(name));
      refuseMethods(app, url, others, [...answered].sort());
    }
  };
}

/** `why`: in place of the usual text. */
export function refuseMethods(
  app: FastifyInstance,
  url: string,
  refused: HTTPMethods[],
  allowed: readonly string[],
  why?: string,
): void {
  const refuse = () => {
    throw new Failure("method_not_allowed", {
      headers: { allow: allowed.join(", ") },
      ...(why !== undefined && { detail: why }),
    });
  };
  app.route({
    url,
    method: refused,
    config: { access: "public", refusesMethod: true },
    schema: { hide: true },
    onRequest: refuse,
    handler: refuse,
  });
}

/** The body of an error's answer. */
export type ErrorBody = (failure: Failure, url: string) => string;

export const errorBody: ErrorBody = ({ detail }) => toJson({ detail });

/** For requests that reach no hook: a path that cannot be decoded, or an unknown version. */
export function answerUnroutable(cors: Cors, body: ErrorBody) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = toFailure(error, request);
    reply
      .code(failure.status)
      .headers(cors.fields(request.raw.headers.origin, request.url))
      .headers({ "content-type": JSON_TYPE, "x-tiled-request-id": request.id })
      .send(body(failure, request.url));
  };
}

/** For bytes that are not HTTP: an answer in the same shape. */
export function answerBrokenRequest(cors: Cors) {
  return (error: BrokenRequest, socket: Socket): void => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const failure = new Failure(error.code === "HPE_HEADER_OVERFLOW" ? "headers_too_large" : "bad_request");
    const reason = failure.status === 431 ? "Request Header Fields Too Large" : "Bad Request";
    const body = toJson({ detail: failure.detail });
    const fields = {
      "Content-Type": JSON_TYPE,
      "Content-Length": String(Buffer.byteLength(body)),
      ...cors.fields(originIn(error.rawPacket), ""),
      Connection: "close",
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
    socket.end([`HTTP/1.1 ${failure.status} ${reason}`, ...lines, "", body].join("\r\n"));
  };
}

/** As Node reports it. */
interface BrokenRequest extends Error {
  readonly code?: string | undefined;
  /** The bytes that caused it. */
  readonly rawPacket?: unknown;
}

/** The page's origin, if its field has arrived. Only an allowed one is sent back. */
function originIn(packet: unknown): string | undefined {
  const text = Buffer.isBuffer(packet) ? packet.toString("latin1") : "";
  return /\r\norigin:[ \t]*([!-~]+)[ \t]*\r\n/i.exec(text)?.[1];
}
