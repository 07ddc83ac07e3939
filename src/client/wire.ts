/**
 * Documents of Tiled's authentication API, with the names of the wire, so that tokens can be passed between languages. Times are
 * ISO 8601 text, durations are seconds. Types only.
 */

/** The tokens of a login. A password or device login also returns the optional fields. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  /** OpenID Connect at a provider only. */
  readonly id_token?: string;
  readonly token_type?: string;
  /** Seconds. */
  readonly expires_in?: number;
  /** Seconds. */
  readonly refresh_token_expires_in?: number;
  readonly identity?: { readonly id: string; readonly provider: string };
  /** The principal's UUID. */
  readonly principal?: string;
}

/** One way to log in. */
export interface Provider {
  readonly provider: string;
  /** `internal`: user name and password. `external`: in a browser. Old servers say `password` for `internal`. */
  readonly mode: "internal" | "external" | "password";
  readonly links: {
    readonly auth_endpoint: string;
    /** The three of a provider whose own tokens the server takes. */
    readonly client_id?: string;
    readonly token_endpoint?: string;
    readonly authorize_endpoint?: string;
  };
  /** Text to show after a login; `{id}` stands for the identity. */
  readonly confirmation_message?: string | null;
  readonly extra_scopes?: readonly string[] | null;
}

/** The about document, `GET /api/v1/`. */
export interface ServerInfo {
  readonly api_version: number;
  readonly library_version: string;
  readonly formats: Readonly<Record<string, readonly string[]>>;
  readonly aliases: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly queries: readonly string[];
  readonly authentication: {
    readonly required: boolean;
    /** Empty for a server with a single user, or a public one. */
    readonly providers: readonly Provider[];
    readonly links: {
      readonly whoami: string;
      readonly apikey: string;
      readonly refresh_session: string;
      readonly revoke_session: string;
      readonly logout: string;
    } | null;
  };
  readonly links: { readonly self: string; readonly documentation: string };
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface ApiKey {
  readonly first_eight: string;
  readonly expiration_time: string | null;
  readonly note: string | null;
  readonly scopes: readonly string[];
  /** `null`: not restricted by tags. */
  readonly access_tags: readonly string[] | null;
  readonly latest_activity: string | null;
}

/** A new key, with its secret, which no other answer contains. */
export interface NewApiKey extends ApiKey {
  readonly secret: string;
}

/** A person or a service. */
export interface Principal {
  readonly uuid: string;
  readonly type: "user" | "service";
  readonly identities: readonly {
    readonly id: string;
    readonly provider: string;
    readonly latest_login: string | null;
  }[];
  readonly roles: readonly { readonly name: string; readonly scopes: readonly string[] }[];
  readonly api_keys: readonly ApiKey[];
  readonly sessions: readonly {
    readonly uuid: string;
    readonly expiration_time: string;
    readonly revoked: boolean;
    readonly state?: Readonly<Record<string, unknown>>;
  }[];
  readonly latest_activity: string | null;
}
