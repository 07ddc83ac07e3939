/**
 * The realm of the Keycloak tests: a person, a client of our server's, one whose people are asked for their consent, and
 * the public one that programs log in as by themselves. `keycloak.ts` starts it.
 */
import { SP_CERT } from "./saml-keys.ts";

export const ALICE = { username: "alice", password: "secret1" };
export const SECRET = "of tests only";
/** Of access tokens that our server takes directly. */
export const AUDIENCE = "tiled-api";
export const CLIENT = { client_id: "tiled", client_secret: SECRET };
export const ASKING = { client_id: "tiled-asking", client_secret: SECRET };
export const PROGRAM = "tiled-cli";

/** Its name as a SAML client. */
export const SAML_SP = "https://tiled.lab.example";

function samlClient(clientId: string, redirectUris: readonly string[], secured: boolean): object {
  const certificate = SP_CERT.replace(/-----[^-]*-----|\s/g, "");
  return {
    clientId,
    protocol: "saml",
    redirectUris,
    attributes: {
      "saml.assertion.signature": "true",
      "saml.server.signature": "true",
      "saml.signature.algorithm": "RSA_SHA256",
      saml_signature_canonicalization_method: "http://www.w3.org/2001/10/xml-exc-c14n#",
      "saml.force.post.binding": "true",
      "saml.authnstatement": "true",
      "saml.client.signature": String(secured),
      "saml.signing.certificate": certificate,
      "saml.encrypt": String(secured),
      "saml.encryption.certificate": certificate,
      "saml.encryption.algorithm": "http://www.w3.org/2009/xmlenc11#aes256-gcm",
      "saml.encryption.keyAlgorithm": "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
      "saml.encryption.digestMethod": "http://www.w3.org/2000/09/xmldsig#sha1",
    },
    protocolMappers: [
      {
        name: "uid",
        protocol: "saml",
        protocolMapper: "saml-user-property-mapper",
        config: { "user.attribute": "username", "attribute.name": "uid", "attribute.nameformat": "Basic" },
      },
    ],
  };
}

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
      samlClient(SAML_SP, redirectUris, false),
      samlClient(`${SAML_SP}/secured`, redirectUris, true),
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
