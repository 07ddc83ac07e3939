/**
 * `GET /metrics` in Prometheus' text format: requests by route and status and their time, which are counted here, and the
 * process itself, which prom-client looks at. It is loaded when somebody asks for the first time.
 */
import type { FastifyInstance } from "fastify";
import type { AfterRequest } from "./after.ts";

/** Seconds, as `le` of the histogram. */
const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

interface Timing {
  /** By bucket, not yet added up; one more for what takes longer. */
  readonly counts: number[];
  sum: number;
}

export class RequestMetrics {
  readonly #requests = new Map<string, number>();
  readonly #timings = new Map<string, Timing>();

  readonly count: AfterRequest = (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    const name = labels({ method: request.method, route, code: String(reply.statusCode) });
    this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1);
    const seconds = reply.elapsedTime / 1000;
    const timing = this.#timings.get(route) ?? { counts: Array<number>(BUCKETS.length + 1).fill(0), sum: 0 };
    const bucket = BUCKETS.findIndex((limit) => seconds <= limit);
    const index = bucket === -1 ? BUCKETS.length : bucket;
    timing.counts[index] = (timing.counts[index] ?? 0) + 1;
    timing.sum += seconds;
    this.#timings.set(route, timing);
  };

  /** Prometheus' text exposition format. */
  text(): string {
    const requests = [...this.#requests].map(([name, count]) => `tiled_auth_requests_total${name} ${count}`);
    const timings = [...this.#timings].flatMap(([route, timing]) => histogram(route, timing));
    return [
      "# HELP tiled_auth_requests_total Requests that were answered",
      "# TYPE tiled_auth_requests_total counter",
      ...requests,
      "# HELP tiled_auth_request_duration_seconds From the request's arrival to the end of its answer",
      "# TYPE tiled_auth_request_duration_seconds histogram",
      ...timings,
      "",
    ].join("\n");
  }
}

function histogram(route: string, { counts, sum }: Timing): string[] {
  const name = "tiled_auth_request_duration_seconds";
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const le = BUCKETS[index] === undefined ? "+Inf" : String(BUCKETS[index]);
    return `${name}_bucket${labels({ route, le })} ${total}`;
  });
  return [...buckets, `${name}_sum${labels({ route })} ${sum}`, `${name}_count${labels({ route })} ${total}`];
}

function labels(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, "_")}"`);
  return `{${pairs.join(",")}}`;
}

export function metricsRoute(app: FastifyInstance, metrics: RequestMetrics): void {
  let process: { contentType: string; metrics(): Promise<string> } | undefined;

  app.get(
    "/api/v1/metrics",
    {
      config: { access: { scopes: ["metrics"] } },
      schema: { tags: ["operation"], summary: "Prometheus metrics" },
    },
    async (_request, reply) => {
      if (process === undefined) {
        const { collectDefaultMetrics, Registry } = await import("prom-client");
        const registry = new Registry();
        collectDefaultMetrics({ register: registry });
        process ??= registry;
      }
      const text = metrics.text() + (await process.metrics());
      return reply.header("content-type", process.contentType).send(text);
    },
  );
}
