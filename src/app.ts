/**
 * The composition root: from a configuration and the parts it names to a Fastify instance that is ready to listen. The three
 * steps are in `app/`; `server.ts` opens the store, loads plugins, listens and stops.
 */
import type { FastifyInstance } from "fastify";
import type { AppParts } from "./app/parts.ts";
import { createPipeline, type Pipeline } from "./app/pipeline.ts";
import { addRoutes } from "./app/routes.ts";
import { type Wiring, wire } from "./app/wiring.ts";
import type { Config } from "./config/model.ts";

export async function createApp(config: Config, parts: AppParts): Promise<FastifyInstance> {
  const wiring = await wire(config, parts);
  const pipeline = await createPipeline(wiring);
  addRoutes(pipeline, wiring);
  seal(pipeline, wiring);
  return pipeline.app;
}

/** Ends the adding of own paths: other paths go to services behind this server, or get 404 or 405. */
function seal({ app, refuseOthers }: Pipeline, { own, gateway }: Wiring): void {
  own.close();
  refuseOthers();
  gateway?.routes(app);
}
