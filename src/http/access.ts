/**
 * Default deny: every route declares who may use it, or the server refuses to start; every request is decided here,
 * before its input is read. Who asks is found out in `identity.ts`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../domain/caller.ts";
import { missingScopes } from "../domain/caller.ts";
import type { Scope } from "../domain/scopes.ts";
import { Failure } from "../errors.ts";
import type { Links } from "./links.ts";

/**
 * - `public`: credentials are not looked at.
 * - `optional`: bad credentials are refused, none are fine.
 * - `api_key`: the route itself wants an API key.
 * - `scopes`: all of them are needed.
 */
export type Access = "public" | "optional" | "api_key" | { readonly scopes: readonly Scope[] };

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** What the route's body must be, where it takes one. */
    body?: "form" | "json";
  }
  interface FastifyRequest {
    caller: Caller;
  }
}

export type Identify = (request: FastifyRequest) => Caller | Promise<Caller>;

const NOBODY: Caller = { kind: "anonymous", scopes: new Set() };

export function guardRoutes(app: FastifyInstance, identify: Identify, links: Links): void {
  app.decorateRequest("caller", NOBODY);

  app.addHook("onRoute", (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} does not declare its access.`);
    }
  });

  app.addHook("onRequest", (request, _reply, done) => {
    const access = request.routeOptions.config.access;
    // Undefined only where no route matched: the answer is 404 for everybody.
    if (access === undefined || access === "public") {
      done();
      return;
    }
    let caller: Caller | Promise<Caller>;
    try {
      caller = identify(request);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (caller instanceof Promise) {
      caller.then((found) => admit(request, access, found, links)).then(() => done(), done);
      return;
    }
    try {
      admit(request, access, caller, links);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  });

  app.addHook("preParsing", (request, _reply, payload, done) => {
    checkMediaType(request);
    done(null, payload);
  });
}

function admit(request: FastifyRequest, access: Access, caller: Caller, links: Links): void {
  request.caller = caller;
  if (typeof access === "string" || !missingScopes(caller, access.scopes)) return;
  throw new Failure("missing_scopes", {
    detail: `Not enough permissions. Requires scopes ${list(access.scopes)}. Request had scopes ${list(caller.scopes)}`,
    headers: {
      "www-authenticate": `Bearer scope="${access.scopes.join(" ")}"`,
      "x-tiled-root": `${links.base(request)}/api/v1`,
    },
  });
}

function list(scopes: Iterable<string>): string {
  return `[${[...scopes]
    .sort()
    .map((scope) => `'${scope}'`)
    .join(", ")}]`;
}

const MEDIA_TYPES = { form: "application/x-www-form-urlencoded", json: "application/json" } as const;

/** A body of another kind than the route takes is 415, before it is read. */
function checkMediaType(request: FastifyRequest): void {
  const wanted = request.routeOptions.config.body;
  const given = request.headers["content-type"];
  if (wanted === undefined || given === undefined) return;
  if (given.split(";", 1)[0]?.trim().toLowerCase() === MEDIA_TYPES[wanted]) return;
  throw new Failure("media_type", { detail: `This route takes ${MEDIA_TYPES[wanted]} only.` });
}

/** For handlers that answer nothing. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
