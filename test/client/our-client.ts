/** The client library in a process of its own, told what to do as `python_client.py` is. */
import { createInterface } from "node:readline";
import { Context, passwordGrant } from "../../src/client/node/index.ts";

const { context } = await Context.fromAnyUri(process.argv[2] ?? "");
const verbs: Record<string, (username?: string, password?: string) => Promise<unknown>> = {
  login: async (username = "", password = "") =>
    await context.configureAuth(await passwordGrant(context, { username, password })),
  cached: async () => ((await context.useCachedTokens()) ? "True" : "False"),
  whoami: async () => (await context.whoami())?.identities.map(({ id }) => id).join(),
  logout: async () => await context.logout(),
};
console.log("ok ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [verb = "", ...args] = line.split(" ");
  try {
    console.log("ok", (await verbs[verb]?.(...args)) ?? "");
  } catch (error) {
    console.log("failed", String(error).replaceAll("\n", " "));
  }
}
