/**
 * A slow or silent upstream, and anonymous clients that request more than it can serve.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { readers } from "../clients.ts";
import { type Place, publicToy, type Scenario, type Target } from "../scenario.ts";

/** Identifies as Tiled, and answers nothing else; counts its concurrent connections. */
async function silentTiled({
  cleanup,
}: Place): Promise<{ readonly url: string; readonly most: () => number }> {
  const open = new Set<Socket>();
  let most = 0;
  const server = createServer((request, response) => {
    if (request.url !== "/api/v1/") return;
    response.setHeader("content-type", "application/json");
    response.end('{"api_version": 0, "library_version": "0.2.20"}');
  });
  server.on("connection", (socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.on("error", () => undefined).on("close", () => open.delete(socket));
  });
  server.on("upgrade", (_request, socket) => socket.on("error", () => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(async () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, most: () => most };
}

const behind = (
  name: string,
  attack: string,
  run: (target: Target, count: (outcome: string, times?: number) => void) => Promise<void>,
): Scenario => ({
  name,
  attack,
  prepare: async (place) => {
    const tiled = await silentTiled(place);
    return {
      config: await publicToy(place, { trees: [{ path: "/", upstream: tiled.url }] }),
      run: async (target, count) => {
        await run(target, count);
        count("connections to the server behind at once", tiled.most());
      },
    };
  },
});

const UPGRADE =
  "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

export const scenarios: readonly Scenario[] = [
  behind(
    "gateway-pipelined",
    "one connection pipelines 10,000 GETs of /static/… of a server behind that does not answer",
    (target, count) =>
      readers(target, "/static/a.js", { connections: 1, requests: 10_000, seconds: 20 }, count),
  ),
  behind(
    "gateway-connections",
    "2,000 connections with a GET each of a server behind that does not answer",
    async (target, count) => {
      const waves = Array.from({ length: 10 }, async (_, wave) => {
        await delay(wave * 500);
        await readers(target, "/static/a.js", { connections: 200, seconds: 20 }, count);
      });
      await Promise.all(waves);
    },
  ),
  behind("gateway-sockets", "2,000 WebSockets that say nothing", (target, count) =>
    readers(target, "/api/v1/stream/single/A", { connections: 2_000, headers: UPGRADE, seconds: 20 }, count),
  ),
];
