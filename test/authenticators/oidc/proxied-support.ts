/**
 * A proxied authenticator of ours, started, and the provider whose tokens it accepts, on one clock that stands still.
 */
import type { JWTPayload } from "jose";
import type { ProxiedArgs } from "../../../src/authenticators/oidc/args.ts";
import { ProxiedOIDCAuthenticator } from "../../../src/authenticators/oidc/proxied-authenticator.ts";
import { CLIENT_ID, HostileProvider } from "../../support/hostile-provider.ts";
import { surroundings } from "./support.ts";

export const AUDIENCE = "tiled-api";
export const ARGS = { audience: AUDIENCE, client_id: CLIENT_ID, device_flow_client_id: "tiled-cli" };

export async function setUp(
  t: { after(step: () => Promise<unknown>): void },
  args: Partial<ProxiedArgs> = {},
) {
  const around = surroundings();
  const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
  const authenticator = new ProxiedOIDCAuthenticator(
    { ...ARGS, well_known_uri: provider.wellKnown, ...args },
    around.context,
    around.options,
  );
  await authenticator.start();
  t.after(() => authenticator.stop());
  const token = (change: Record<string, unknown> = {}, header: Record<string, unknown> = {}) => {
    const claims = { ...provider.accessClaims(AUDIENCE), ...change };
    return provider.sign(claims as JWTPayload, header);
  };
  const verify = async (change: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    authenticator.verify(await token(change, header));
  return { ...around, provider, authenticator, token, verify };
}
