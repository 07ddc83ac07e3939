/** A request's context for the audit log: its address and id, and who acts by which credential once that is known. */
import type { FastifyRequest } from "fastify";
import { type Caller, isKnown, type KnownCaller } from "../../domain/model/caller.ts";
import type { ActorCredential, RequestContext } from "../../domain/model/entities.ts";
import type { Proxies } from "../proxies.ts";

export function requestContext(
  request: FastifyRequest,
  proxies: Proxies,
  caller: Caller | null,
): RequestContext {
  return {
    address: proxies.read(request).address,
    requestId: request.id,
    ...(caller !== null && isKnown(caller)
      ? { actor: caller.principal.uuid, credential: credentialOf(caller) }
      : { actor: null }),
    userAgent: request.raw.headers["user-agent"] ?? null,
  };
}

function credentialOf(caller: KnownCaller): ActorCredential {
  if (caller.kind === "api_key") {
    const { firstEight, digest } = caller.key;
    return { kind: "api_key", firstEight, digest };
  }
  if (caller.session === null) return { kind: "token" };
  return { kind: caller.kind === "browser" ? "browser" : "session", session: caller.session };
}
