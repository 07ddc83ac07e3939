/**
 * Default deny: every route declares who may use it, or the server refuses to start, and every request is decided here
 * before its input is read. `identity.ts` finds out who asks; `callers.ts` has the kinds of callers that a route can demand.
 */
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  preHandlerHookHandler,
} from "fastify";
import type { Caller } from "../../domain/model/caller.ts";
import { missingScopes } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
import { SAFE_METHODS } from "../methods.ts";
import { rememberRoutes, routeOf } from "../route.ts";
import { checkBodyTypes } from "./body-types.ts";
import { DEMANDS, type Demand } from "./callers.ts";
import { NO_CREDENTIAL } from "./credential.ts";
import type { Identification, IdentifyOptions } from "./identity.ts";
import { type Access, gateOf, isForPerson } from "./kinds.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Set before any handler runs. */
    caller: Caller;
    /** Why the credential was refused, on a route of the kind `verify`. */
    refused: Failure | null;
  }
}

const ANONYMOUS: Caller = { kind: "anonymous", scopes: new Set() };
const DEMANDS_BY_ACCESS: Readonly<Partial<Record<string, Demand>>> = DEMANDS;

const NOTED: IdentifyOptions = { noted: true };
const UNNOTED: IdentifyOptions = { noted: false };
const AGAIN: IdentifyOptions = { noted: false, again: true };

/** What becomes of an API key in the URL that a browser opens (`people/key-from-url.ts`). */
export interface KeysInUrls {
  /** For a request whose key is valid; true where this has answered it. */
  take(request: FastifyRequest, reply: FastifyReply): boolean | Promise<boolean>;
}

export function guardRoutes(app: FastifyInstance, identification: Identification, keys: KeysInUrls): void {
  app.decorateRequest("caller");
  app.decorateRequest("presented");
  app.decorateRequest("refused", null);
  rememberRoutes(app);
  checkBodyTypes(app);

  const ask = (request: FastifyRequest, reply: FastifyReply, access: Access, options: IdentifyOptions) => {
    const gate = gateOf(access);
    if (gate !== undefined) return gate.admit(request, reply);
    return isForPerson(access)
      ? identification.person(request)
      : identification.identify(request, reply, options);
  };

  /** True if this has answered the request: the browser was sent on, or is asked. */
  const admit = (
    caller: Caller | null,
    access: Access,
    request: FastifyRequest,
    reply: FastifyReply,
  ): boolean | Promise<boolean> => {
    if (caller === null) return true;
    request.caller = caller;
    checkCaller(access, caller);
    if (gateOf(access) !== undefined) return false;
    return access !== "api_key" && access !== "verify" && holdsKey(caller) && keys.take(request, reply);
  };

  /** Undefined if the request goes on nevertheless. */
  const refuse = (error: unknown, access: Access, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof Failure && gateOf(access) === undefined)
      identification.forget(error, request, reply);
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
    const caller = await ask(request, reply, access, AGAIN);
    if (caller === null) throw new Error("A gate answered a request whose body has arrived.");
    request.caller = caller;
    checkCaller(access, caller);
  };

  const recheck =
    (access: Access): preHandlerHookHandler =>
    (request, reply, done) => {
      if (SAFE_METHODS.has(request.method) || request.caller.kind === "anonymous") done();
      else askAgain(request, reply, access).then(() => done(), done);
    };

  app.addHook("onRoute", (route) => {
    const { access } = route.config ?? {};
    if (access === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} does not declare its access.`);
    }
    if (changesSomething(route.method) && countsAgain(access)) {
      // A body may take its time, and the caller's credential may be revoked meanwhile.
      route.preHandler = [recheck(access), ...[route.preHandler ?? []].flat()];
    }
  });

  app.addHook("onRequest", (request, reply, done) => {
    request.caller = ANONYMOUS;
    request.presented = NO_CREDENTIAL;
    const { access } = routeOf(request);
    // Undefined only if no route matched: the answer is 404 for any caller.
    if (access === undefined || access === "public") {
      done();
      return;
    }
    let answered: boolean | Promise<boolean>;
    try {
      const caller = ask(request, reply, access, access === "api_key" ? UNNOTED : NOTED);
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

/** Whether the decision must still hold when the body has arrived. */
function countsAgain(access: Access): boolean {
  return access !== "public" && access !== "page" && access !== "verify";
}

function holdsKey(caller: Caller): boolean {
  return caller.kind === "api_key" || caller.kind === "single_user";
}

function checkCaller(access: Access, caller: Caller): void {
  if (typeof access === "string") {
    const failure = DEMANDS_BY_ACCESS[access]?.(caller);
    if (failure !== undefined) throw failure;
  } else if ("person" in access) {
    const failure =
      DEMANDS.person(caller) ?? (missingScopes(caller, access.person) ? new Failure("forbidden") : undefined);
    if (failure !== undefined) throw failure;
  } else if ("scopes" in access && missingScopes(caller, access.scopes)) {
    throw new Failure("missing_scopes", {
      detail: `Not enough permissions. Requires scopes ${list(access.scopes)}. Request had scopes ${list(caller.scopes)}`,
      headers: { "www-authenticate": `Bearer scope="${access.scopes.join(" ")}"` },
    });
  }
}

function list(scopes: Iterable<string>): string {
  return `[${[...scopes]
    .sort()
    .map((scope) => `'${scope}'`)
    .join(", ")}]`;
}

/** 204, for handlers without an answer. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
