/**
 * `GET /metrics` in Prometheus' text format: requests by route and status and their duration, counted here, and figures of
 * the process from `@prometheus-io/client`, which is loaded on the first request.
 */
import type { FastifyInstance } from "fastify";
import { refusals } from "../../schemas/errors.ts";
import type { AfterRequest } from "../after.ts";
import { routeOf } from "../route.ts";

/** Seconds, as `le` of the histogram. */
const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

interface RouteCounts {
  /** By method, then status. */
  readonly answers: Map<string, Map<number, number>>;
  /** Per bucket, not cumulative; the last one is for anything slower. */
  readonly counts: number[];
  /** Seconds. */
  sum: number;
}

export class RequestMetrics {
  readonly #routes = new Map<string, RouteCounts>();

  readonly count: AfterRequest = (request, reply, ms) => {
    const route = this.#of(routeOf(request).url ?? "unknown");
    const { method } = request;
    const { statusCode } = reply;
    const answers = route.answers.get(method) ?? new Map<number, number>();
    if (answers.size === 0) route.answers.set(method, answers);
    answers.set(statusCode, (answers.get(statusCode) ?? 0) + 1);
    const seconds = ms / 1000;
    let bucket = 0;
    while (seconds > (BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    route.counts[bucket] = (route.counts[bucket] ?? 0) + 1;
    route.sum += seconds;
  };

  /** Prometheus' text exposition format. */
  text(): string {
    const requests = [...this.#routes].flatMap(([route, { answers }]) => totals(route, answers));
    const timings = [...this.#routes].flatMap(([route, counts]) => histogram(route, counts));
    return [
      "# HELP tiled_auth_requests_total Answered requests",
      "# TYPE tiled_auth_requests_total counter",
      ...requests,
      "# HELP tiled_auth_request_duration_seconds Time from the arrival of a request to the end of its answer",
      "# TYPE tiled_auth_request_duration_seconds histogram",
      ...timings,
      "",
    ].join("\n");
  }

  #of(route: string): RouteCounts {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    const fresh = { answers: new Map(), counts: Array<number>(BUCKETS.length + 1).fill(0), sum: 0 };
    this.#routes.set(route, fresh);
    return fresh;
  }
}

function totals(route: string, answers: RouteCounts["answers"]): string[] {
  return [...answers].flatMap(([method, counts]) =>
    [...counts].map(
      ([code, count]) => `tiled_auth_requests_total${labels({ method, route, code: String(code) })} ${count}`,
    ),
  );
}

function histogram(route: string, { counts, sum }: RouteCounts): string[] {
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

export interface Gauges {
  /** Result of the last readiness check. */
  readonly ready: () => boolean;
  readonly providers: () => readonly (readonly [name: string, state: string])[];
}

function gauges({ ready, providers }: Gauges): string {
  return [
    "# HELP tiled_auth_ready Whether the database accepts logins",
    "# TYPE tiled_auth_ready gauge",
    `tiled_auth_ready ${Number(ready())}`,
    "# HELP tiled_auth_provider_up Whether logins at a provider work",
    "# TYPE tiled_auth_provider_up gauge",
    ...providers().map(
      ([provider, state]) => `tiled_auth_provider_up${labels({ provider })} ${Number(state === "ok")}`,
    ),
    "",
  ].join("\n");
}

const METRICS = {
  description: "Prometheus' text exposition format",
  content: { "text/plain": { schema: { type: "string" } } },
};

export function metricsRoute(app: FastifyInstance, metrics: RequestMetrics, state: Gauges): void {
  let process: { contentType: string; metrics(): Promise<string> } | undefined;

  app.get(
    "/api/v1/metrics",
    {
      config: { access: { scopes: ["metrics"] } },
      schema: {
        tags: ["operation"],
        operationId: "getMetrics",
        summary: "Prometheus metrics",
        response: { 200: METRICS, ...refusals(401, 429) },
      },
    },
    async (_request, reply) => {
      if (process === undefined) {
        const { collectDefaultMetrics, Registry } = await import("@prometheus-io/client");
        const registry = new Registry();
        collectDefaultMetrics({ register: registry });
        process ??= registry;
      }
      const text = metrics.text() + gauges(state) + (await process.metrics());
      return reply.header("content-type", process.contentType).send(text);
    },
  );
}
