/**
 * Clients for attacks: some read their answers, some never do. Each ends on its own, and none connects to another machine.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Count, Target } from "./scenario.ts";

export interface Plan {
  readonly connections: number;
  /** Requests pipelined on each connection. */
  readonly requests?: number;
  /** Header lines, each with CRLF. */
  readonly headers?: string;
  readonly method?: string;
  /** Seconds until the client gives up. */
  readonly seconds: number;
}

/** Sends requests and reads all answers. */
export async function readers(target: Target, path: string, plan: Plan, count: Count): Promise<void> {
  await all(plan, async () => {
    const { socket, statuses } = open(target, path, plan);
    socket.resume();
    const outcome = await settled(socket, statuses, plan.requests ?? 1, plan.seconds);
    tell(statuses, outcome, plan, count);
  });
}

/** How long a client that did not read finally looks at its answers. */
const LAST_LOOK = 2;

/** Sends requests and does not read until the time is over. */
export async function nonReaders(target: Target, path: string, plan: Plan, count: Count): Promise<void> {
  await all(plan, async () => {
    const { socket, statuses } = open(target, path, plan);
    socket.pause();
    await delay(plan.seconds * 1000);
    socket.resume();
    const outcome = await settled(socket, statuses, plan.requests ?? 1, LAST_LOOK);
    tell(statuses, outcome, plan, count);
  });
}

async function all({ connections }: Plan, client: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: connections }, client));
}

type Statuses = Map<string, number>;

function open({ port }: Target, path: string, plan: Plan): { socket: Socket; statuses: Statuses } {
  const { method = "GET", headers = "", requests = 1 } = plan;
  const statuses: Statuses = new Map();
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => undefined);
  socket.on("data", statusReader(statuses));
  const last = requests === 1 ? "connection: close\r\n" : "";
  socket.write(
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${last}${headers}\r\n`.repeat(requests),
  );
  return { socket, statuses };
}

const MARK = "HTTP/1.1 ";

/** Finds the status lines in the received bytes; a body that looks like one would be counted, too. */
function statusReader(statuses: Statuses): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const text = rest + chunk.toString("latin1");
    let at = text.indexOf(MARK);
    let done = 0;
    while (at >= 0 && at + MARK.length + 3 <= text.length) {
      done = at + MARK.length + 3;
      const status = text.slice(at + MARK.length, done);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      at = text.indexOf(MARK, done);
    }
    rest = text.slice(Math.max(done, text.length - MARK.length - 2));
  };
}

type Ended = "all answered" | "closed" | "no answer";

async function settled(
  socket: Socket,
  statuses: Statuses,
  requests: number,
  seconds: number,
): Promise<Ended> {
  const answered = () => [...statuses.values()].reduce((sum, times) => sum + times, 0);
  const closed = socket.closed ? Promise.resolve() : once(socket, "close");
  const over = new AbortController();
  const limit = delay(seconds * 1000, "late", { signal: over.signal }).catch(() => "late");
  const first = await Promise.race([closed.then(() => "closed"), limit]);
  over.abort();
  socket.destroy();
  if (answered() >= requests) return "all answered";
  return first === "closed" ? "closed" : "no answer";
}

function tell(statuses: Statuses, ended: Ended, { requests = 1 }: Plan, count: Count): void {
  let answered = 0;
  for (const [status, times] of statuses) {
    count(status, times);
    answered += times;
  }
  if (ended !== "all answered") count(ended, requests - answered);
}
