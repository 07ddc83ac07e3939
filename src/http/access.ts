/**
 * Default deny: every route declares who may use it, or the server refuses to start; every request is decided here,
 * before its input is read. Who asks is found out in `identity.ts`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../domain/caller.ts";
import { missingScopes } from "../domain/caller.ts";
import type { Scope } from "../domain/scopes.ts";
import { Failure } from "../errors.ts";
import { SAFE_METHODS } from "./csrf.ts";
import type { Identity } from "./identity.ts";

/**
 * - `public`: credentials are not looked at.
 * - `page`: for browsers; bad credentials count as none, since the page shows nothing that needs them.
 * - `person`: for a browser that is logged in, and no other credential; its forms carry a token.
 * - `verify`: credentials are looked at; what is wrong with them is for the route to tell (`request.refused`).
 * - `optional`: bad credentials are refused, none are fine.
 * - `api_key`: the route itself wants an API key.
 * - `scopes`: all of them are needed.
 */
export type Access =
  | "public"
  | "page"
  | "person"
  | "verify"
  | "optional"
  | "api_key"
  | { readonly scopes: readonly Scope[] };

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** What the route's body must be, where it takes one. */
    body?: "form" | "json" | "form or json";
  }
  interface FastifyRequest {
    /** Set before any handler runs. */
    caller: Caller;
    /** Why the credentials do not count, on a route of the kind `verify`. */
    refused: Failure | null;
  }
}

const NOBODY: Caller = { kind: "anonymous", scopes: new Set() };

export function guardRoutes(app: FastifyInstance, identity: Identity): void {
  app.decorateRequest("caller");
  app.decorateRequest("refused", null);

  const ask = (request: FastifyRequest, access: Access, noted: boolean) =>
    access === "person" ? identity.person(request) : identity.identify(request, { noted });

  const askAgain = async (request: FastifyRequest, access: Access) => {
    request.caller = await ask(request, access, false);
    checkScopes(access, request.caller);
  };

  app.addHook("onRoute", (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} does not declare its access.`);
    }
  });

  app.addHook("onRequest", (request, reply, done) => {
    request.caller = NOBODY;
    const { access } = request.routeOptions.config;
    // Undefined only where no route matched: the answer is 404 for everybody.
    if (access === undefined || access === "public") {
      done();
      return;
    }
    const refused = (error: unknown) => {
      if (error instanceof Failure && error.code === "browser_login_over")
        identity.forgetPerson(request, reply);
      if ((access === "page" || access === "verify") && error instanceof Failure && error.status < 500) {
        request.refused = error;
        done();
      } else done(error as Error);
    };
    const admit = (caller: Caller) => {
      let sentOn: boolean;
      try {
        request.caller = caller;
        checkScopes(access, caller);
        sentOn =
          access !== "api_key" && access !== "verify" && holdsKey(caller) && identity.keepKey(request, reply);
      } catch (error) {
        refused(error);
        return;
      }
      if (!sentOn) done();
    };
    let caller: Caller | Promise<Caller>;
    try {
      caller = ask(request, access, access !== "api_key");
    } catch (error) {
      refused(error);
      return;
    }
    if (caller instanceof Promise) caller.then(admit, refused);
    else admit(caller);
  });

  // A body may come in as slowly as its sender likes, who may be shut out meanwhile: what changes something asks again.
  app.addHook("preHandler", (request, _reply, done) => {
    const { access } = request.routeOptions.config;
    const sameAsBefore =
      SAFE_METHODS.has(request.method) ||
      access === undefined ||
      access === "public" ||
      access === "page" ||
      access === "verify" ||
      request.caller.kind === "anonymous";
    if (sameAsBefore) done();
    else askAgain(request, access).then(() => done(), done);
  });

  app.addHook("preParsing", (request, _reply, payload, done) => {
    done(checkMediaType(request), payload);
  });
}

function holdsKey(caller: Caller): boolean {
  return caller.kind === "api_key" || caller.kind === "single_user";
}

function checkScopes(access: Access, caller: Caller): void {
  if (typeof access === "string" || !missingScopes(caller, access.scopes)) return;
  throw new Failure("missing_scopes", {
    detail: `Not enough permissions. Requires scopes ${list(access.scopes)}. Request had scopes ${list(caller.scopes)}`,
    headers: { "www-authenticate": `Bearer scope="${access.scopes.join(" ")}"` },
  });
}

function list(scopes: Iterable<string>): string {
  return `[${[...scopes]
    .sort()
    .map((scope) => `'${scope}'`)
    .join(", ")}]`;
}

const FORM = "application/x-www-form-urlencoded";
const JSON_BODY = "application/json";
const MEDIA_TYPES: Readonly<Record<string, readonly string[]>> = {
  form: [FORM],
  json: [JSON_BODY],
  "form or json": [FORM, JSON_BODY],
};

/** A body of another kind than the route takes is 415, before it is read. */
function checkMediaType(request: FastifyRequest): Failure | null {
  const wanted = request.routeOptions.config.body;
  const given = request.headers["content-type"];
  if (wanted === undefined || given === undefined) return null;
  const taken = MEDIA_TYPES[wanted] ?? [];
  if (taken.includes(given.split(";", 1)[0]?.trim().toLowerCase() ?? "")) return null;
  return new Failure("media_type", { detail: `This route takes ${taken.join(" or ")} only.` });
}

/** For handlers that answer nothing. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
