/** Whose place a request takes at a server behind this one: the principal's, or that of a stranger's address. */
import type { FastifyRequest } from "fastify";
import { type Caller, isKnown } from "../../domain/model/caller.ts";
import { addressBlock } from "../../domain/throttling/throttle.ts";
import type { Proxies } from "../proxies.ts";
import type { Guest } from "./room.ts";

const SINGLE_USER: Guest = { known: true, name: "single user" };

export function guestOf(caller: Caller, request: FastifyRequest, proxies: Proxies): Guest {
  if (isKnown(caller)) return { known: true, name: caller.principal.uuid };
  return caller.kind === "single_user" ? SINGLE_USER : strangerOf(request, proxies);
}

export function strangerOf(request: FastifyRequest, proxies: Proxies): Guest {
  return { known: false, name: addressBlock(proxies.read(request).address) };
}
