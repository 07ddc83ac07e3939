/**
 * The parts of the gateway that Fastify and Node need before any route. The rest is loaded only if there is a server behind
 * this one.
 */

import type { IncomingMessage, Server } from "node:http";
import type { FastifyHttpOptions, FastifyRequest } from "fastify";
import type { Upstream } from "../../domain/model/upstream.ts";
import type { Mounts } from "./mounts.ts";

/** For Fastify's constructor: the decision precedes routing, so that our routes never match requests of upstreams. */
export function gatewayRouting(mounts: Mounts): GatewayRouting {
  const gateway: Strategy = {
    name: "gateway",
    storage: () => {
      const handlers = new Map<string, Parameters<Stored["set"]>[1]>();
      return {
        get: (kind) => handlers.get(kind) ?? null,
        set: (kind, handler) => void handlers.set(kind, handler),
      };
    },
    deriveConstraint: (request) => {
      const kind = mounts.of(request)?.kind;
      // The router accepts undefined as "no constraint", though its types do not say so.
      return (kind === "ours" ? undefined : kind) as string;
    },
    mustMatchWhenDerived: true,
  };
  return { rewriteUrl: (request) => mounts.rewrite(request), constraints: { gateway } };
}

/** For Node's server: everything else stays an ordinary request. */
export function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}

type Options = FastifyHttpOptions<Server>;
type Strategy = NonNullable<NonNullable<Options["routerOptions"]>["constraints"]>[string];
type Stored = ReturnType<Strategy["storage"]>;

export interface GatewayRouting {
  rewriteUrl(request: FastifyRequest["raw"]): string;
  readonly constraints: Record<string, Strategy>;
}

/** For Node's server: requests that offer other protocols are answered in HTTP/1.1. */
export function upgradeOptions(upstreams: readonly Upstream[]): object {
  return upstreams.length === 0 ? {} : { shouldUpgradeCallback: isWebSocket };
}
