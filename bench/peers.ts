/**
 * `npm run bench -- --peers`: answers per second of CPU, beside the real Tiled and npm's `oidc-provider`, over four connections, each
 * server on one core. The real Tiled comes from the virtual environment of the tests; without it, its column is empty.
 */
import { existsSync } from "node:fs";
import { program } from "../test/support/python.ts";
import { TIMES_TILED } from "./goals.ts";
import type { Job } from "./load.ts";
import { at, type Server, start, startOurs } from "./servers.ts";
import { median, number, table } from "./table.ts";
import { deployment, get, jobs, measure, type Work } from "./work.ts";

const CONNECTIONS = 4;
const ROUNDS = 3;
const COMMON = ["JWT whoami", "API-key whoami", "refresh", "login"] as const satisfies readonly Work[];

interface Peer {
  readonly server: Server;
  readonly jobs: Readonly<Partial<Record<Work, () => Promise<Job>>>>;
}

type Cleanup = (work: () => Promise<unknown>) => void;

async function tiledLike(server: Server, seconds: number): Promise<Peer> {
  return { server, jobs: await jobs(server, { connections: CONNECTIONS, seconds }) };
}

/** Userinfo stands for whoami. Its state is in memory and refreshes are not durable. */
async function oidcProvider(seconds: number): Promise<Peer> {
  const server = await start([process.execPath, at("peer-oidc.ts")], "0");
  const job = async (): Promise<readonly { access_token: string; refresh_token: string }[]> =>
    (await (await fetch(`${server.url}/made?people=${CONNECTIONS}`)).json()) as never;
  const common = { port: server.port, connections: CONNECTIONS, seconds, awake: true };
  return {
    server,
    jobs: {
      "JWT whoami": async () => ({
        ...common,
        requests: (await job()).map(({ access_token }) => get("/me", `Bearer ${access_token}`)),
      }),
      refresh: async () => ({
        ...common,
        follow: "refresh",
        requests: (await job()).map(({ refresh_token }) => ({
          method: "POST",
          path: "/token",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: "grant_type=refresh_token&client_id=bench&refresh_token={token}",
          token: refresh_token,
        })),
      }),
    },
  };
}

/** The table. */
export async function peers(seconds: number, say: (text: string) => unknown): Promise<string> {
  const last: (() => Promise<unknown>)[] = [];
  const cleanup: Cleanup = (work) => void last.push(work);
  try {
    const tiled = program("tiled");
    const config = () => deployment(cleanup);
    const ours = await tiledLike(await startOurs(await config(), "0"), seconds);
    cleanup(() => ours.server.stop());
    const real = existsSync(tiled)
      ? await tiledLike(await start([tiled, "serve", "config", await config(), "--port"], "0"), seconds)
      : null;
    if (real) cleanup(() => real.server.stop());
    const oidc = await oidcProvider(seconds);
    cleanup(() => oidc.server.stop());
    const rows: string[][] = [];
    for (const work of COMMON) {
      const found = { ours: [] as number[], real: [] as number[], oidc: [] as number[] };
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [name, peer] of Object.entries({ ours, real, oidc })) {
          const job = peer?.jobs[work];
          if (!peer || !job) continue;
          const { cpu } = await measure(peer.server, await job(), "1");
          if (round > 0) found[name as keyof typeof found].push(1e6 / cpu);
        }
      }
      say(`beside peers: ${work}`);
      const perSecond = (rates: readonly number[]) =>
        rates.length === 0 ? "" : `${number(median(rates))}/s`;
      const times = median(found.ours) / median(found.real);
      const goal = TIMES_TILED[work];
      rows.push([
        work,
        perSecond(found.ours),
        perSecond(found.real),
        Number.isNaN(times) ? "" : number(times),
        goal === undefined ? "" : `≥ ${goal}, ${times >= goal ? "yes" : "no"}`,
        perSecond(found.oidc),
      ]);
    }
    const heads = [
      "answers per second of CPU",
      "tiled-auth",
      "Tiled 0.2.20",
      "times Tiled's",
      "goal",
      "oidc-provider",
    ];
    return `## Beside others, ${CONNECTIONS} connections\n\n${table([heads, ...rows])}`;
  } finally {
    for (const work of last.reverse()) await work();
  }
}
