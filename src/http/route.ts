/** What a route declares about itself, looked up once per request, since Fastify builds its options at each access. */
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from "fastify";

/** All values are undefined if no route matched. */
export interface Route extends FastifyContextConfig {
  readonly url?: string;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null until `routeOf` has looked it up. */
    route: Route | null;
  }
}

export function rememberRoutes(app: FastifyInstance): void {
  app.decorateRequest("route", null);
}

export function routeOf(request: FastifyRequest): Route {
  request.route ??= request.routeOptions.config;
  return request.route;
}
