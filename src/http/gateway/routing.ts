/**
 * What of the gateway Fastify and Node must know before any route: all else of it is loaded only where there is a server
 * behind this one. `node:http` is imported for its types only, since as a module it loads a whole HTTP client.
 */

import type { IncomingMessage, Server } from "node:http";
import type { FastifyHttpOptions, FastifyRequest } from "fastify";
import type { Upstream } from "../../domain/model/upstream.ts";
import type { Mounts } from "./mounts.ts";

/** For Fastify's constructor: the decision comes before the routes, and no route of ours is found for what is not ours. */
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
      // The router takes undefined for "no constraint"; only its types do not say so.
      return (kind === "ours" ? undefined : kind) as string;
    },
    mustMatchWhenDerived: true,
  };
  return { rewriteUrl: (request) => mounts.rewrite(request), constraints: { gateway } };
}

/** For Node's server, where it knows the question: everything else stays an ordinary request. */
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

/** For Node's server: no other protocol is spoken, and a request that offers one is answered in this. */
export function upgradeOptions(upstreams: readonly Upstream[]): object {
  return upstreams.length === 0 ? {} : { shouldUpgradeCallback: isWebSocket };
}
