/**
 * The closed table of errors that leave this server: a stable code, its HTTP status and its public text. Only
 * `http/errors.ts` turns one into an answer; `cause` and `log` go to the log and never leave the server.
 */
export const FAILURES = {
  // Credentials (RFC 6750, section 3.1). A missing scope is 401 here, since Tiled's clients expect it.
  bad_authorization: {
    status: 400,
    detail:
      "Authorization header must include the authorization type followed by a space and then the secret, as in 'Bearer SECRET' or 'Apikey SECRET'. ",
  },
  invalid_api_key: { status: 401, detail: "Invalid API key" },
  expired_api_key: { status: 401, detail: "This API key has expired. Create a new one." },
  no_api_key: { status: 401, detail: "No API key was provided with this request." },
  invalid_token: { status: 401, detail: "Could not validate credentials" },
  expired_token: { status: 401, detail: "Access token has expired. Refresh token." },
  no_principal: { status: 401, detail: "Principal no longer exists." },
  no_credentials: { status: 401, detail: "Not authenticated. Send an access token or an API key." },
  missing_scopes: { status: 401, detail: "Not enough permissions." },
  session_expired: { status: 401, detail: "Session has expired. Please re-authenticate." },
  browser_login_over: { status: 401, detail: "This browser is no longer logged in. Log in again." },
  login_needed: { status: 401, detail: "Log in with a browser first." },
  login_too_old: {
    status: 401,
    detail: "This action requires a login from the last five minutes. Log in again.",
  },
  wrong_password: { status: 401, detail: "Incorrect username or password" },
  login_refused: { status: 401, detail: "The login was refused." },
  provider_invalid: { status: 401, detail: "Authentication failure" },
  login_over: { status: 401, detail: "Authentication failure" },
  login_elsewhere: { status: 401, detail: "Authentication failure" },
  csrf: {
    status: 403,
    detail: "The request has the cookie tiled_api_key, but its CSRF token is missing or wrong.",
  },
  forbidden: { status: 403, detail: "Not allowed." },
  other_spelling: {
    status: 403,
    detail:
      "This name is known in another spelling, for example with other capital letters. Log in with the spelling you used before.",
  },

  // Tokens of CAVE's clients.
  no_token: { status: 401, detail: "No token was sent with this request." },
  bad_auth_header: { status: 400, detail: "The Authorization header must begin with 'Bearer'." },
  login_token: {
    status: 403,
    detail: "A login token cannot create, list, replace or revoke API tokens. Send an API token.",
  },
  requires_admin: { status: 403, detail: "Only administrators and services may do this." },
  several_tokens: {
    status: 400,
    detail:
      "You have more than one API token, so none was replaced. Create another one, or revoke those you do not need.",
  },
  api_token: { status: 422, detail: "An API token cannot be logged out. Revoke it instead." },

  // Invalid requests.
  bad_request: { status: 400, detail: "Bad request." },
  redirect_refused: {
    status: 400,
    detail: "This address cannot be given a login: it is not among the origins that this server knows.",
  },
  client_too_old: { status: 400, detail: "The client is too old for this server." },
  origin_refused: { status: 400, detail: "Disallowed CORS origin" },
  limit_reached: { status: 400, detail: "Limit reached." },
  not_found: { status: 404, detail: "Not Found" },
  method_not_allowed: { status: 405, detail: "Method Not Allowed" },
  not_acceptable: { status: 406, detail: "None of the media types requested by the client are supported." },
  request_timeout: { status: 408, detail: "The rest of the request did not arrive in time." },
  conflict: { status: 409, detail: "Conflict." },
  identity_taken: { status: 409, detail: "This identity already belongs to another principal." },
  last_identity: {
    status: 409,
    detail: "You cannot unlink the last identity you can log in with. Link another one first.",
  },
  unknown_host: { status: 421, detail: "This server does not recognize the host name of the request." },
  too_large: { status: 413, detail: "The request body is too large." },
  media_type: { status: 415, detail: "The request's Content-Type is not supported." },
  invalid: { status: 422, detail: "The request is not valid." },
  throttled: { status: 429, detail: "Too many failed attempts. Try again later." },
  headers_too_large: { status: 431, detail: "The request header fields are too large." },

  // Failures of this server, or of a service it depends on.
  internal: { status: 500, detail: "Internal server error" },
  bad_gateway: { status: 502, detail: "The service behind this server did not answer properly." },
  store_unavailable: {
    status: 503,
    detail: "The database is unavailable. Nothing was changed. Try again.",
  },
  store_busy: {
    status: 503,
    detail: "The database is overloaded. Nothing was changed. Try again.",
  },
  logins_busy: { status: 503, detail: "Too many logins are waiting. Try again." },
  provider_unavailable: {
    status: 503,
    detail: "Login at a provider is currently not possible. Other logins and tokens work.",
  },
  too_many_pipelined: {
    status: 503,
    detail: "Too many requests are waiting on this connection. Send fewer at a time.",
  },
  files_exhausted: { status: 503, detail: "The server has too many open files. Try again." },
  data_busy: { status: 503, detail: "The server is reading too much data at the moment. Try again." },
  upstream_busy: {
    status: 503,
    detail: "The service behind this server has too many requests at the moment. Try again.",
  },
  data_unavailable: { status: 503, detail: "The data cannot be read at the moment. Try again." },
  stopping: { status: 503, detail: "The server is stopping. Try again." },
  changed: { status: 503, detail: "The data changed while being read. Try again." },
  gateway_timeout: { status: 504, detail: "The service behind this server did not answer in time." },
  store_full: {
    status: 507,
    detail: "The database's disk is full. Nothing was changed. Contact the operator.",
  },
} as const satisfies Record<string, { readonly status: number; readonly detail: string }>;

/** A code of the table, e.g. `bad_gateway`. */
export type FailureCode = keyof typeof FAILURES;

/** One problem of a request's input, in the shape of Tiled's 422 answers. */
export interface InputProblem {
  /** e.g. `missing`, `string_type`, `int_parsing`. */
  readonly type: string;
  /** The place, e.g. `["body", "scopes"]`. */
  readonly loc: readonly (string | number)[];
  /** The message; never contains the value that was sent. */
  readonly msg: string;
}

export interface FailureOptions {
  /** Replaces the table's public text; sent to the caller. */
  readonly detail?: string | readonly InputProblem[] | Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A message for the log; never sent. */
  readonly log?: string;
  readonly cause?: unknown;
}

/**
 * An error with an HTTP status and a public text. Plugins throw it to choose the answer; any other error is answered by 500,
 * or 502 from an authenticator.
 *
 * @example
 * ```ts
 * throw new Failure("bad_gateway", { log: `LDAP answered ${status}`, cause: error });
 * ```
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind = "tiled-auth/failure";
  readonly code: FailureCode;
  readonly status: number;
  readonly detail: string | readonly InputProblem[] | Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: FailureCode, options: FailureOptions = {}) {
    const { status, detail } = FAILURES[code];
    // Refusals are frequent under attack, so no stack is captured. The cause has its own.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(options.log ?? (typeof options.detail === "string" ? options.detail : detail), {
      cause: options.cause,
    });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = status;
    this.detail = options.detail ?? detail;
    this.headers = options.headers ?? {};
  }
}

/**
 * An operator's mistake that stops a command or the start; printed without a stack trace. `exitCode` is listed in `--help`,
 * `hint` says what to do.
 */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  readonly exitCode: number;
  readonly hint: string | null;

  constructor(message: string, exitCode = 1, hint: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}
