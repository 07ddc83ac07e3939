/**
 * Default deny: every route declares who may use it, or the server refuses to start; every request is decided here,
 * before its input is read. Who asks is found out in `identity.ts`.
 */
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  preHandlerHookHandler,
  preParsingHookHandler,
  preValidationHookHandler,
} from "fastify";
import type { Caller } from "../../domain/model/caller.ts";
import { missingScopes } from "../../domain/model/caller.ts";
import type { Scope } from "../../domain/model/scopes.ts";
import { Failure } from "../../errors.ts";
import { SAFE_METHODS } from "../methods.ts";
import { rememberRoutes, routeOf } from "../route.ts";
import { NO_CREDENTIAL } from "./credential.ts";
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

/** What becomes of an API key in the URL that a browser opens (`people/key-from-url.ts`). */
export interface KeysInUrls {
  /** For a request whose key is valid; true where this has answered it. */
  take(request: FastifyRequest, reply: FastifyReply): boolean | Promise<boolean>;
}

export function guardRoutes(app: FastifyInstance, identity: Identity, keys: KeysInUrls): void {
  app.decorateRequest("caller");
  app.decorateRequest("presented");
  app.decorateRequest("refused", null);
  rememberRoutes(app);

  const ask = (request: FastifyRequest, reply: FastifyReply, access: Access, noted: boolean) =>
    access === "person" ? identity.person(request) : identity.identify(request, reply, { noted });

  /** True where the request is answered: the browser was sent on, or is asked. */
  const admit = (
    caller: Caller,
    access: Access,
    request: FastifyRequest,
    reply: FastifyReply,
  ): boolean | Promise<boolean> => {
    request.caller = caller;
    checkScopes(access, caller);
    return access !== "api_key" && access !== "verify" && holdsKey(caller) && keys.take(request, reply);
  };

  /** Undefined where the request goes on all the same. */
  const refuse = (error: unknown, access: Access, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof Failure) identity.forget(error, request, reply);
    const goesOn = access === "page" || access === "verify";
    if (!goesOn || !(error instanceof Failure) || error.status >= 500) return error as Error;
    request.refused = error;
    return undefined;
  };

  const decideLater = (
    answered: Promise<boolean>,
    access: Access,
    request: FastifyRequest,
    reply: FastifyReply,
    done: HookHandlerDoneFunction,
  ) => {
    answered.then(
      (isAnswered) => {
        if (!isAnswered) done();
      },
      (error: unknown) => done(refuse(error, access, request, reply)),
    );
  };

  const askAgain = async (request: FastifyRequest, reply: FastifyReply, access: Access) => {
    request.caller = await ask(request, reply, access, false);
    checkScopes(access, request.caller);
  };

  const recheck =
    (access: Access): preHandlerHookHandler =>
    (request, reply, done) => {
      if (SAFE_METHODS.has(request.method) || request.caller.kind === "anonymous") done();
      else askAgain(request, reply, access).then(() => done(), done);
    };

  app.addHook("onRoute", (route) => {
    const { access, body } = route.config ?? {};
    if (access === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} does not declare its access.`);
    }
    if (changesSomething(route.method) && countsAgain(access)) {
      // A body may come in as slowly as its sender likes, who may be shut out meanwhile.
      route.preHandler = [recheck(access), ...[route.preHandler ?? []].flat()];
    }
    if (body === undefined) return;
    route.preParsing = [mediaTypeHook(body), ...[route.preParsing ?? []].flat()];
    if (body === "form") route.preValidation = [emptyForm, ...[route.preValidation ?? []].flat()];
  });

  app.addHook("onRequest", (request, reply, done) => {
    request.caller = NOBODY;
    request.presented = NO_CREDENTIAL;
    const { access } = routeOf(request);
    // Undefined only where no route matched: the answer is 404 for everybody.
    if (access === undefined || access === "public") {
      done();
      return;
    }
    let answered: boolean | Promise<boolean>;
    try {
      const caller = ask(request, reply, access, access !== "api_key");
      answered =
        caller instanceof Promise
          ? caller.then((found) => admit(found, access, request, reply))
          : admit(caller, access, request, reply);
    } catch (error) {
      done(refuse(error, access, request, reply));
      return;
    }
    if (answered instanceof Promise) decideLater(answered, access, request, reply, done);
    else if (!answered) done();
  });
}

function changesSomething(method: string | readonly string[]): boolean {
  return [method].flat().some((name) => !SAFE_METHODS.has(name));
}

/** Whether what was decided at first must still hold when the body is there. */
function countsAgain(access: Access): boolean {
  return access !== "public" && access !== "page" && access !== "verify";
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
function mediaTypeHook(wanted: "form" | "json" | "form or json"): preParsingHookHandler {
  const taken = MEDIA_TYPES[wanted] ?? [];
  return (request, _reply, payload, done) => {
    const given = request.headers["content-type"];
    const fits = given === undefined || taken.includes(given.split(";", 1)[0]?.trim().toLowerCase() ?? "");
    done(
      fits ? null : new Failure("media_type", { detail: `This route takes ${taken.join(" or ")} only.` }),
      payload,
    );
  };
}

/** No body at all is a form without fields. */
const emptyForm: preValidationHookHandler = (request, _reply, done) => {
  request.body ??= {};
  done();
};

/** For handlers that answer nothing. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
