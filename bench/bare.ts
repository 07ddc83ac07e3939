/**
 * The baseline: one Fastify route that does nothing. `node bare.ts PORT`.
 */
import Fastify from "fastify";

const app = Fastify();
app.get("/", async () => ({ hello: "world" }));
app.get("/healthz", async () => ({ status: "ready" }));
await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
