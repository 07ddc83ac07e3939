/** Whose share of a server's slots a request uses: the principal's, or that of an anonymous address. */
import type { FastifyRequest } from "fastify";
import { type Caller, isKnown } from "../../domain/model/caller.ts";
import { addressBlock } from "../../domain/throttling/throttle.ts";
import type { Proxies } from "../proxies.ts";
import type { Requester } from "./limiter.ts";

const SINGLE_USER: Requester = { known: true, name: "single user" };

export function requesterOf(caller: Caller, request: FastifyRequest, proxies: Proxies): Requester {
  if (isKnown(caller)) return { known: true, name: caller.principal.uuid };
  return caller.kind === "single_user" ? SINGLE_USER : anonymousRequester(request, proxies);
}

export function anonymousRequester(request: FastifyRequest, proxies: Proxies): Requester {
  return { known: false, name: addressBlock(proxies.read(request).address) };
}
