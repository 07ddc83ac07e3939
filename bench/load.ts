/**
 * The load generator, in its own process: takes a job as JSON argument and prints the measurement.
 */
import { Connection, type Counts, type Next, type Request } from "./connection.ts";

export interface Job {
  readonly port: number;
  readonly seconds: number;
  /** One per connection. */
  readonly requests: readonly Request[];
  /**
   * `refresh`: send the refresh token of each answer in the next request. `count`: replace `{n}` in the body with a number
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

function following(request: Request, follow: Job["follow"]): Next {
  if (follow === undefined) return () => request;
  if (follow === "count") {
    const series = process.hrtime.bigint().toString(36);
    let n = 0;
    return () => ({ ...request, body: request.body.replace("{n}", `${series}-${Math.random()}-${n++}`) });
  }
  return (answer) => {
    const token = /"refresh_token":\s*"([^"]+)"/.exec(answer)?.[1];
    return token === undefined ? request : { ...request, body: JSON.stringify({ refresh_token: token }) };
  };
}

function measure(
  { port, seconds, requests, follow, pause = 0, awake = false }: Job,
  done: (measured: Measured) => void,
): void {
  const counts: Counts = { latencies: [], statuses: {} };
  const began = performance.now();
  const stayAwake = () => void setImmediate(stayAwake);
  if (awake) stayAwake();
  const connections = requests.map(
    (request) => new Connection(port, following(request, follow), pause, counts),
  );
  setTimeout(() => {
    const took = (performance.now() - began) / 1000;
    for (const connection of connections) connection.close();
    const sorted = Float64Array.from(counts.latencies).sort();
    const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
    done({ rate: sorted.length / took, p50: at(0.5), p99: at(0.99), statuses: counts.statuses });
  }, seconds * 1000);
}

measure(JSON.parse(process.argv[2] ?? "{}"), (measured) => {
  console.log(JSON.stringify(measured));
  process.exit();
});
