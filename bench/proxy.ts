/**
 * The baseline for the gateway: a proxy of Fastify and @fastify/reply-from, without authentication. `node proxy.ts UPSTREAM
 * PORT`.
 */
import replyFrom from "@fastify/reply-from";
import Fastify from "fastify";

const [, , upstream = "", port] = process.argv;
const app = Fastify();
await app.register(replyFrom, { base: upstream, undici: { connections: null, pipelining: 1 } });
app.get("/healthz", async () => ({ status: "ready" }));
app.all("/*", (_request, reply) => reply.from());
await app.listen({ host: "127.0.0.1", port: Number(port) });
