/**
 * The realm of the Keycloak tests: a person, a client of our server's, one whose people are asked for their consent, and
 * the public one that programs log in as by themselves. `keycloak.ts` starts it.
 */
export const ALICE = { username: "alice", password: "secret1" };
export const SECRET = "of tests only";
/** Of access tokens that our server takes directly. */
export const AUDIENCE = "tiled-api";
export const CLIENT = { client_id: "tiled", client_secret: SECRET };
export const ASKING = { client_id: "tiled-asking", client_secret: SECRET };
export const PROGRAM = "tiled-cli";

export function realm(redirectUris: readonly string[]): object {
  const confidential = { secret: SECRET, standardFlowEnabled: true, redirectUris };
  return {
    enabled: true,
    sslRequired: "none",
    users: [
      {
        username: ALICE.username,
        enabled: true,
        email: "alice@example.org",
        firstName: "Alice",
        lastName: "Lab",
        credentials: [{ type: "password", value: ALICE.password }],
        realmRoles: ["offline_access"],
      },
    ],
    clients: [
      { clientId: CLIENT.client_id, ...confidential },
      { clientId: ASKING.client_id, ...confidential, consentRequired: true },
      {
        clientId: PROGRAM,
        publicClient: true,
        standardFlowEnabled: false,
        directAccessGrantsEnabled: true,
        attributes: { "oauth2.device.authorization.grant.enabled": "true" },
        protocolMappers: [
          {
            name: "audience",
            protocol: "openid-connect",
            protocolMapper: "oidc-audience-mapper",
            config: { "included.custom.audience": AUDIENCE, "access.token.claim": "true" },
          },
        ],
      },
    ],
  };
}
