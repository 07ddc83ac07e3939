/** `GET /metrics` in Prometheus' text format: requests by route and status, their time, and the process itself. */
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import { afterRequests } from "./after.ts";

export function metricsRoute(app: FastifyInstance): void {
  const registry = new Registry();
  const labels = ["method", "route", "code"] as const;
  const requests = new Counter({
    name: "tiled_auth_requests_total",
    help: "Requests that were answered",
    labelNames: labels,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: "tiled_auth_request_duration_seconds",
    help: "From the request's arrival to the end of its answer",
    labelNames: ["route"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });

  afterRequests(app, (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    requests.inc({ method: request.method, route, code: reply.statusCode });
    seconds.observe({ route }, reply.elapsedTime / 1000);
  });

  app.get(
    "/api/v1/metrics",
    {
      config: { access: { scopes: ["metrics"] } },
      schema: { tags: ["operation"], summary: "Prometheus metrics" },
    },
    async (_request, reply) => {
      // Asked for the first time: until then nobody needs the process watched.
      if (registry.getSingleMetric("process_cpu_user_seconds_total") === undefined) {
        collectDefaultMetrics({ register: registry });
      }
      return reply.header("content-type", registry.contentType).send(await registry.metrics());
    },
  );
}
