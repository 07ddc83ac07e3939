/**
 * Times honest requests during an attack from its own process: `/healthz` and logins, each on a new connection, until its input
 * has a line. Prints the milliseconds as JSON; a request without an answer counts with its waiting time.
 */
import { request } from "node:http";
import { PASSWORDS } from "../../test/support/toy.ts";

export interface Latencies {
  readonly healthz: readonly number[];
  readonly logins: readonly number[];
  /** Requests of both kinds that were not answered with 200. */
  readonly failed: number;
}

/** Fewer logins than one account may have sessions. */
const PAUSE_MS = { healthz: 40, logins: 600 };
/** A server that is silent for longer counts as unavailable. */
const PATIENCE_MS = 120_000;

function ask(port: number, path: string, body: string | null): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: body === null ? "GET" : "POST",
        agent: false,
        timeout: PATIENCE_MS,
        headers: body === null ? {} : { "content-type": "application/x-www-form-urlencoded" },
      },
      (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      },
    );
    sent.once("timeout", () => sent.destroy());
    sent.once("error", reject);
    sent.end(body ?? undefined);
  });
}

async function main(port: number): Promise<void> {
  const found = { healthz: [] as number[], logins: [] as number[], failed: 0 };
  const stop = new AbortController();
  process.stdin.once("data", () => stop.abort());
  process.stdin.once("end", () => stop.abort());
  const repeat = async (name: "healthz" | "logins", path: string, body: string | null) => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      const over = new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
      const status = await Promise.race([ask(port, path, body).catch(() => -1), over]);
      found[name].push(performance.now() - began);
      if (status !== 200 && status !== undefined) found.failed += status instanceof Event ? 0 : 1;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS[name]));
    }
  };
  const login = new URLSearchParams({ username: "alice", password: PASSWORDS.alice }).toString();
  await Promise.all([
    repeat("healthz", "/healthz", null),
    repeat("logins", "/api/v1/auth/provider/toy/token", login),
  ]);
  console.log(JSON.stringify(found satisfies Latencies));
  process.exit();
}

await main(Number(process.argv[2]));
