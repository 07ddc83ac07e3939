/**
 * Authenticates our client at the token endpoint (RFC 6749, section 2.3.1; OpenID Connect Core, section 9): id and secret in a
 * header or in the form, as the provider announces.
 */
import { type ClientAuth, ClientSecretPost, None } from "openid-client";
import { Failure } from "../../errors.ts";
import type { Secret } from "../../lib/secrets.ts";
import { quotedForLog } from "./signature.ts";

export const AUTH_METHODS = ["client_secret_basic", "client_secret_post"] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

export interface Client {
  readonly id: string;
  /** Null: a public client. */
  readonly secret: Secret | null;
  /** The operator's choice; null: as the provider announces. */
  readonly method: AuthMethod | null;
}

/**
 * The methods to try in order, each after the provider refused the client by the one before. Without an announcement the
 * method is basic (OpenID Connect Discovery, section 3), but some providers then accept the form only.
 */
export function clientAuthentication(client: Client, announced: readonly string[] | null): ClientAuth[] {
  const { secret, method } = client;
  if (secret === null) return [None()];
  if (method !== null) return [authentication(method, secret)];
  if (announced === null) return AUTH_METHODS.map((name) => authentication(name, secret));
  const first = AUTH_METHODS.find((name) => announced.includes(name));
  return [first === undefined ? noWay(announced) : authentication(first, secret)];
}

function noWay(announced: readonly string[]): ClientAuth {
  return () => {
    throw new Failure("bad_gateway", {
      log: `The provider accepts none of our methods of client authentication, only ${quotedForLog(announced)}.`,
    });
  };
}

function authentication(method: AuthMethod, secret: Secret): ClientAuth {
  if (method === "client_secret_post") return ClientSecretPost(secret.reveal());
  return (_server, { client_id: id }, _body, headers) => {
    const pair = `${formEncoded(id)}:${formEncoded(secret.reveal())}`;
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  };
}

/**
 * RFC 6749, appendix B, by the URL Standard's serializer of forms. openid-client's `ClientSecretBasic` also encodes `-`,
 * `_` and `.`, which providers that do not decode the header take for another client or secret.
 */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
