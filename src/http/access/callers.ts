/**
 * The kinds of callers that a route can demand, each defined once: `access.ts` refuses the others before the handler runs,
 * and the handler takes its caller from here. A handler that asks for a kind which its route does not declare is a mistake of
 * ours, and fails as such.
 */
import type { FastifyRequest } from "fastify";
import { type Linker, tooOld } from "../../domain/linking.ts";
import { type BrowserCaller, type Caller, isKnown, type KnownCaller } from "../../domain/model/caller.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import { INHERIT } from "../../domain/model/scopes.ts";
import { Failure } from "../../errors.ts";

type KeyCaller = Extract<Caller, { readonly kind: "api_key" }>;

/** Undefined for a caller of the kind; else why it is refused. */
export type Demand = (caller: Caller) => Failure | undefined;

export const DEMANDS = {
  person: ({ kind }) => (kind === "browser" ? undefined : new Failure("login_needed")),
  api_key: ({ kind }) => (kind === "api_key" ? undefined : new Failure("no_api_key")),
  principal: (caller) => {
    if (!isKnown(caller)) return new Failure("no_credentials");
    if (caller.kind !== "api_key" || caller.key.scopes.includes(INHERIT)) return undefined;
    return new Failure("missing_scopes", { detail: "This needs an API key with the scope 'inherit'." });
  },
  session: (caller) => {
    if (caller.kind !== "token")
      return new Failure("no_credentials", { detail: "This needs an access token." });
    return caller.session === null ? tooOld() : undefined;
  },
} as const satisfies Readonly<Record<string, Demand>>;

/** The kinds of access that demand one kind of callers, whatever its scopes. */
export type Demanded = keyof typeof DEMANDS;

export function personOf({ caller }: FastifyRequest): BrowserCaller {
  return caller.kind === "browser" ? caller : undeclared();
}

export function keyOf({ caller }: FastifyRequest): KeyCaller["key"] {
  return caller.kind === "api_key" ? caller.key : undeclared();
}

/** For routes that declare `principal`, or a scope that only principals have. */
export function knownOf({ caller }: FastifyRequest): KnownCaller {
  return isKnown(caller) ? caller : undeclared();
}

/** The session whose access token was sent, and its principal. */
export function sessionOf({ caller }: FastifyRequest): Linker {
  if (caller.kind !== "token" || caller.session === null) return undeclared();
  return { principal: caller.principal.uuid, session: caller.session };
}

/** On a page for anyone: the identity that the browser is logged in with. */
export function identityOf({ caller }: FastifyRequest): IdentityRef | null {
  return caller.kind === "browser" ? caller.identity : null;
}

function undeclared(): never {
  throw new Error("The route's declared access does not grant the caller that its handler needs.");
}
