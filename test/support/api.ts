/**
 * The few requests of the authentication API that tests of real servers need, the same for the real Tiled and ours.
 */
import { PASSWORDS } from "./toy.ts";

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

export interface Key {
  readonly secret: string;
  readonly first_eight: string;
}

export interface Principal {
  readonly uuid: string;
  readonly identities: readonly { readonly id: string }[];
  readonly roles: readonly { readonly name: string }[];
  readonly api_keys: readonly { readonly first_eight: string; readonly note: string | null }[];
  readonly sessions: readonly { readonly uuid: string; readonly revoked: boolean }[];
}

export interface Reply<T = unknown> {
  readonly status: number;
  readonly body: T;
}

export const bearer = ({ access_token }: Tokens) => `Bearer ${access_token}`;
export const apikey = ({ secret }: Key) => `Apikey ${secret}`;

export class Api {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async call<T>(method: string, path: string, credential?: string, json?: unknown): Promise<Reply<T>> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(credential !== undefined && { authorization: credential }),
        ...(json !== undefined && { "content-type": "application/json" }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
  }

  async login(username: keyof typeof PASSWORDS): Promise<Tokens> {
    const response = await fetch(`${this.url}/api/v1/auth/provider/toy/token`, {
      method: "POST",
      body: new URLSearchParams({ username, password: PASSWORDS[username] }),
    });
    if (!response.ok) throw new Error(`login: ${response.status} ${await response.text()}`);
    return (await response.json()) as Tokens;
  }

  refresh({ refresh_token }: Tokens): Promise<Reply<Tokens>> {
    return this.call("POST", "/auth/session/refresh", undefined, { refresh_token });
  }

  revoke({ refresh_token }: Tokens): Promise<Reply> {
    return this.call("POST", "/auth/session/revoke", undefined, { refresh_token });
  }

  whoami(credential: string): Promise<Reply<Principal>> {
    return this.call("GET", "/auth/whoami", credential);
  }

  async makeKey(credential: string, fields: object = {}, path = "/auth/apikey"): Promise<Key> {
    const { status, body } = await this.call<Key>("POST", path, credential, {
      expires_in: null,
      scopes: null,
      ...fields,
    });
    if (status !== 200) throw new Error(`key: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  deleteKey(credential: string, { first_eight }: Key): Promise<Reply> {
    return this.call("DELETE", `/auth/apikey?first_eight=${first_eight}`, credential);
  }
}
