/** What a route declares of itself, looked up once a request: Fastify puts its options together anew at each look. */
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from "fastify";

/** Undefined in the values where no route matched. */
export interface Route extends FastifyContextConfig {
  readonly url?: string;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null until somebody asks `routeOf` for it. */
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
