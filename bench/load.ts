/**
 * The load generator, in its own process: reads a job as JSON from stdin and prints the measurement.
 */
import { text } from "node:stream/consumers";
import { Connection, type Counts, type Next, type Request } from "./connection.ts";

export interface Job {
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
  /** Each connection sends its share of them in turn: every n-th one, for n connections. */
  readonly requests: readonly Request[];
  /**
   * `refresh`: the refresh token of an answer replaces that of its request. `count`: replace `{n}` in the body with a number
   * never used before.
   */
  readonly follow?: "refresh" | "count";
  /** Pause between an answer and the next request, in milliseconds. */
  readonly pause?: number;
  /**
   * Busy-waits, because waking a client on the same machine costs the server time that a remote client would not. It takes one
   * core, so use it only if the server does not need that core.
   */
  readonly awake?: boolean;
}

export interface Measured {
  /** Answers per second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** The requests of one connection, one after the other and from the start again. */
function following(requests: Request[], follow: Job["follow"]): Next {
  let at = -1;
  const series = process.hrtime.bigint().toString(36);
  let n = 0;
  return (answer) => {
    const token = follow === "refresh" && /"refresh_token":\s*"([^"]+)"/.exec(answer)?.[1];
    const before = requests[at];
    if (token && before) requests[at] = { ...before, token };
    at = (at + 1) % requests.length;
    const request = requests[at] ?? null;
    if (follow !== "count" || request === null) return request;
    return { ...request, body: request.body.replace("{n}", `${series}-${Math.random()}-${n++}`) };
  };
}

function measure(
  { port, seconds, connections: count, requests, follow, pause = 0, awake = false }: Job,
  done: (measured: Measured) => void,
): void {
  const counts: Counts = { latencies: [], statuses: {} };
  const began = performance.now();
  const stayAwake = () => void setImmediate(stayAwake);
  if (awake) stayAwake();
  const connections = Array.from({ length: count }, (_, index) => {
    const share = requests.filter((_request, number) => number % count === index);
    return new Connection(port, following(share, follow), pause, counts);
  });
  setTimeout(() => {
    const took = (performance.now() - began) / 1000;
    for (const connection of connections) connection.close();
    const sorted = Float64Array.from(counts.latencies).sort();
    const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
    done({ rate: sorted.length / took, p50: at(0.5), p99: at(0.99), statuses: counts.statuses });
  }, seconds * 1000);
}

measure(JSON.parse(await text(process.stdin)), (measured) => {
  console.log(JSON.stringify(measured));
  process.exit();
});
