/** The kinds of access that a route can declare; `access.ts` holds every request to its route's. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../../domain/model/caller.ts";
import type { Scope } from "../../domain/model/scopes.ts";
import type { MaybePromise } from "../../lib/maybe-promise.ts";
import type { Demanded } from "./callers.ts";

/** Who may use the routes of another face of this server, which has credentials of its own. */
export interface Gate {
  /**
   * The caller of a request; null if this has answered it. Fails for one that may not use the route. Called again when a body
   * has arrived.
   */
  admit(request: FastifyRequest, reply: FastifyReply): MaybePromise<Caller | null>;
  /** How programs authenticate, by its name in `/openapi.json`; undefined: the routes are no part of the API. */
  readonly scheme?: "CaveToken";
}

/**
 * - `public`: credentials are not looked at.
 * - `page`: for browsers; a bad credential counts as none, since the page shows nothing that needs one.
 * - `verify`: credentials are looked at; the route itself answers what is wrong with them (`request.refused`).
 * - `optional`: a bad credential is refused, and none is needed.
 * - `api_key`: an API key.
 * - `principal`: a principal with all its rights: an access token, or an API key with the scope `inherit`.
 * - `session`: the access token of a session of this server.
 * - `person`: a browser that is logged in, and no other credential; its forms carry a token. All scopes in a list are needed.
 * - `scopes`: all of them are needed, with any credential.
 * - `gate`: what a face with credentials of its own decides.
 */
export type Access =
  | "public"
  | "page"
  | "verify"
  | "optional"
  | Demanded
  | { readonly person: readonly Scope[] }
  | { readonly scopes: readonly Scope[] }
  | { readonly gate: Gate };

/** The gate of a route whose face has credentials of its own. */
export function gateOf(access: Access | undefined): Gate | undefined {
  return typeof access === "object" && "gate" in access ? access.gate : undefined;
}

/** Whether only a browser that is logged in may use the route. */
export function isForPerson(access: Access | undefined): boolean {
  return access === "person" || (typeof access === "object" && "person" in access);
}
