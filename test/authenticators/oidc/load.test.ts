import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadAuthenticators } from "../../../src/authenticators/load.ts";
import type { Authenticator } from "../../../src/domain/ports/authenticator.ts";
import { folder, provider, refusal } from "../loading.ts";

const WELL_KNOWN = "https://idp.example/.well-known/openid-configuration";
const OIDC = { client_id: "tiled", client_secret: "hunter2", well_known_uri: WELL_KNOWN };
const PROXIED = {
  audience: "tiled-api",
  client_id: "tiled",
  device_flow_client_id: "tiled-cli",
  well_known_uri: WELL_KNOWN,
};

const entry = (name: string, args: Record<string, unknown>, index = 0) =>
  provider(`tiled.authenticators:${name}`, args, `idp-${index}`, index);

describe("OpenID Connect in a configuration", () => {
  for (const [name, args, kind] of [
    ["OIDCAuthenticator", OIDC, "external"],
    ["ProxiedOIDCAuthenticator", PROXIED, "proxied"],
    ["EntraAuthenticator", PROXIED, "proxied"],
  ] as const) {
    test(`${name} is ${kind}; making one sends no request`, async () => {
      const made = await loadAuthenticators({
        providers: [entry(name, args)],
        directory: folder,
        warn: () => undefined,
      });
      const [authenticator] = made.values() as Iterable<Authenticator>;
      assert.equal(authenticator?.kind, kind);
      assert.match(authenticator.problem() ?? "", /not reached yet/);
    });
  }

  test("several providers of browsers", async () => {
    const entries = [entry("OIDCAuthenticator", OIDC, 0), entry("OIDCAuthenticator", OIDC, 1)];
    const made = await loadAuthenticators({ providers: entries, directory: folder, warn: () => undefined });
    assert.deepEqual([...made.keys()], ["idp-0", "idp-1"]);
  });

  test("one that accepts the provider's tokens must be alone", async () => {
    for (const name of ["ProxiedOIDCAuthenticator", "EntraAuthenticator"]) {
      const beside = await refusal(entry("OIDCAuthenticator", OIDC, 0), entry(name, PROXIED, 1));
      assert.match(
        beside,
        /config\.yml:4: authentication\.providers\[1\]\.authenticator: must be the only provider/,
      );
    }
    const both = await refusal(
      entry("EntraAuthenticator", PROXIED, 0),
      entry("ProxiedOIDCAuthenticator", PROXIED, 1),
    );
    assert.match(both, /providers\[0\].*must be the only/);
    assert.match(both, /must be the only.*providers\[1\]/);
  });

  test("errors have a position, and never the secret", async () => {
    const wrong = { ...OIDC, well_known_uri: "http://idp.example/", client_secret: 12345, redirect_to: "x" };
    const message = await refusal(entry("OIDCAuthenticator", wrong));
    assert.match(message, /args\.client_secret: must be text, not a number\. Put it in quotes\./);
    assert.match(message, /args\.redirect_to: there is no such argument/);
    assert.doesNotMatch(message, /12345|hunter2/);
    const elsewhere = await refusal(
      entry("OIDCAuthenticator", { ...OIDC, well_known_uri: "http://idp.example/" }),
    );
    assert.match(elsewhere, /args\.well_known_uri begins with http:/);
    assert.doesNotMatch(elsewhere, /hunter2/);
  });
});
