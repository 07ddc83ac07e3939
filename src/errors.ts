/**
 * The closed table of errors that leave this server: a stable code, its HTTP status and its public text. Only
 * `http/errors.ts` turns one into an answer; the `cause` and the `log` text are for the log and never leave.
 */
export const FAILURES = {
  // Credentials (RFC 6750, section 3.1). A missing scope is 401 here, since Tiled's clients expect it.
  bad_authorization: [
    400,
    "Authorization header must include the authorization type followed by a space and then the secret, as in 'Bearer SECRET' or 'Apikey SECRET'. ",
  ],
  invalid_api_key: [401, "Invalid API key"],
  expired_api_key: [401, "This API key has expired. Create a new one."],
  no_api_key: [401, "No API key was provided with this request."],
  invalid_token: [401, "Could not validate credentials"],
  expired_token: [401, "Access token has expired. Refresh token."],
  no_principal: [401, "Principal no longer exists."],
  no_credentials: [401, "Not authenticated. Send an access token or an API key."],
  missing_scopes: [401, "Not enough permissions."],
  session_expired: [401, "Session has expired. Please re-authenticate."],
  browser_login_over: [401, "The login of this browser has ended. Log in again."],
  login_needed: [401, "Log in with a browser first."],
  login_too_old: [401, "This needs a login that is at most five minutes old. Log in again."],
  wrong_password: [401, "Incorrect username or password"],
  login_refused: [401, "The login was refused."],
  provider_invalid: [401, "Authentication failure"],
  login_over: [401, "Authentication failure"],
  login_elsewhere: [401, "Authentication failure"],
  csrf: [403, "The request carries the cookie tiled_api_key but its CSRF token is missing or wrong."],
  forbidden: [403, "Not allowed."],
  other_spelling: [
    403,
    "You are known here under another spelling of this name, e.g. with other capital letters. Log in with the spelling that you used before.",
  ],

  // Requests that make no sense.
  bad_request: [400, "Bad request."],
  client_too_old: [400, "The client is too old for this server."],
  origin_refused: [400, "Disallowed CORS origin"],
  limit_reached: [400, "A limit is reached."],
  not_found: [404, "Not Found"],
  method_not_allowed: [405, "Method Not Allowed"],
  not_acceptable: [406, "None of the media types requested by the client are supported."],
  request_timeout: [408, "The rest of the request has not come in time."],
  conflict: [409, "Conflict."],
  identity_taken: [409, "This identity belongs to another principal already."],
  last_identity: [409, "This is the last identity that you can log in with: link another one first."],
  unknown_host: [421, "This server does not know the name by which it was asked."],
  too_large: [413, "The request's body is too large."],
  media_type: [415, "The request's Content-Type is not supported here."],
  invalid: [422, "The request is not valid."],
  throttled: [429, "Too many failed attempts. Try again later."],
  headers_too_large: [431, "The request's header fields are too large."],

  // Our side.
  internal: [500, "Internal server error"],
  bad_gateway: [502, "The service behind this server did not answer properly."],
  store_unavailable: [
    503,
    "The database cannot be reached or written to at the moment. Nothing was changed. Try again.",
  ],
  store_busy: [503, "The database has too much to do at the moment. Nothing was changed. Try again."],
  logins_busy: [503, "Too many logins are waiting. Try again."],
  provider_unavailable: [503, "Nobody can log in at a provider at the moment. Others and tokens work."],
  too_many_pipelined: [
    503,
    "Too many requests wait on this connection for the answers before them. Send fewer at a time.",
  ],
  files_exhausted: [503, "The server has too many files open at the moment. Try again."],
  data_busy: [503, "The server has too much data to read at the moment. Try again."],
  upstream_busy: [503, "The service behind this server has too many requests at the moment. Try again."],
  data_unavailable: [503, "The data cannot be read at the moment. Try again."],
  stopping: [503, "The server is stopping. Try again."],
  changed: [503, "The data changed while they were read. Try again."],
  gateway_timeout: [504, "The service behind this server did not answer in time."],
  store_full: [507, "The database's disk is full. Nothing was changed. Tell the operator."],
} as const satisfies Record<string, readonly [number, string]>;

export type FailureCode = keyof typeof FAILURES;

/** One problem of a request's input, in the shape that Tiled's clients know from 422 answers. */
export interface InputProblem {
  /** e.g. `missing`, `string_type`, `int_parsing`. */
  readonly type: string;
  /** Where: `["body", "scopes"]`. */
  readonly loc: readonly (string | number)[];
  /** What is wrong; never the value that was sent. */
  readonly msg: string;
}

export interface FailureOptions {
  /** Replaces the table's public text. */
  readonly detail?: string | readonly InputProblem[] | Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly log?: string;
  readonly cause?: unknown;
}

export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind = "tiled-auth/failure";
  readonly code: FailureCode;
  readonly status: number;
  readonly detail: string | readonly InputProblem[] | Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: FailureCode, options: FailureOptions = {}) {
    const [status, text] = FAILURES[code];
    // A refusal is expected, and who attacks causes many: no stack is walked for it. Its cause has its own.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(options.log ?? (typeof options.detail === "string" ? options.detail : text), {
      cause: options.cause,
    });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = status;
    this.detail = options.detail ?? text;
    this.headers = options.headers ?? {};
  }
}

/** An operator's mistake that stops a command or the start: printed without a stack trace. `exitCode` as in `--help`. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
