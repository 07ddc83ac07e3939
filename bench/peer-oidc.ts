/**
 * A peer: `oidc-provider` from npm with its state in memory, as `node peer-oidc.ts PORT`. `GET /made?people=N` makes N access
 * tokens for userinfo and N refresh tokens, without the browser that a login would need.
 */
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { memoryAdapters } from "../test/support/oidc-provider-store.ts";

const port = Number(process.argv[2]);
const CLIENT = "bench";

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: memoryAdapters() as never,
  clients: [
    {
      client_id: CLIENT,
      token_endpoint_auth_method: "none",
      redirect_uris: ["https://app.example.org/callback"],
      grant_types: ["authorization_code", "refresh_token"],
    },
  ],
  cookies: { keys: ["bench"] },
  features: { devInteractions: { enabled: false } },
  rotateRefreshToken: true,
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, name: sub }) }),
});

/** One person's grant, with a token of each kind. */
async function made(
  accountId: string,
): Promise<{ readonly access_token: string; readonly refresh_token: string }> {
  const client = await provider.Client.find(CLIENT);
  if (client === undefined) throw new Error("The client is missing.");
  const scope = "openid offline_access";
  const grant = new provider.Grant({ accountId, clientId: CLIENT });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const common = { accountId, client, grantId, scope, gty: "authorization_code" };
  const access = new provider.AccessToken(common as never);
  const refresh = new provider.RefreshToken({ ...common, expiresIn: 86_400 } as never);
  return { access_token: await access.save(), refresh_token: await refresh.save() };
}

const answer = provider.callback();
const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (pathname === "/healthz") response.end("{}");
  else if (pathname === "/made") {
    const people = Array.from({ length: Number(searchParams.get("people")) }, (_, index) => `user-${index}`);
    response.end(JSON.stringify(await Promise.all(people.map(made))));
  } else answer(request, response);
});
server.listen(port, "127.0.0.1");
