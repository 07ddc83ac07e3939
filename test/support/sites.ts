/** Pages of other sites, for what a real browser does with them, and our application where such a browser reaches it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestApp, type TestAppOptions, testApp } from "./app.ts";
import type { Cleanup } from "./folders.ts";

export async function serveApp(cleanup: Cleanup, options: TestAppOptions = {}): Promise<TestApp> {
  const t = await testApp(options);
  cleanup(() => t.close());
  await t.app.listen({ port: 0, host: "127.0.0.1" });
  return t;
}

/** Its name is another site's than that of `serveApp`, which is an address. */
export async function strangersSite(cleanup: Cleanup, html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><meta charset="utf-8"><title>elsewhere</title>${html}`);
  });
  cleanup(async () => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}
