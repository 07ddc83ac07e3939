/**
 * The errors of the client. Each has a stable `code`; no message has a secret. An aborted call is none of these: it rejects
 * with the reason of the caller's signal.
 */

export interface ErrorFacts {
  readonly status?: number | null;
  readonly detail?: unknown;
  readonly requestId?: string | null;
  readonly url?: string | null;
  readonly cause?: unknown;
}

/**
 * What all errors of the client have in common.
 *
 * @example
 * ```ts
 * import { TiledError, fromUri } from "tiled-auth/client";
 *
 * try {
 *   await fromUri("https://tiled.example.org");
 * } catch (error) {
 *   if (error instanceof TiledError) console.error(error.code, error.requestId);
 *   else throw error;
 * }
 * ```
 */
export class TiledError extends Error {
  readonly code: string;
  /** Of the server's answer; null if there was no answer. */
  readonly status: number | null;
  /** The server's own words: text, or for refused input a list of `{type, loc, msg}`. */
  readonly detail: unknown;
  /** The server's log has more about the request under this id. */
  readonly requestId: string | null;
  /** Without its query. */
  readonly url: string | null;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "TiledError";
    this.code = code;
    this.status = facts.status ?? null;
    this.detail = facts.detail ?? null;
    this.requestId = facts.requestId ?? null;
    this.url = facts.url ?? null;
  }
}

/** The login has ended, or there was none: log in again. The tokens are forgotten. */
export class CannotRefreshAuthentication extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_CANNOT_REFRESH", message, facts);
    this.name = "CannotRefreshAuthentication";
  }
}

/** A login is needed, and there is no way to ask for it. */
export class CannotPrompt extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_CANNOT_PROMPT", message, facts);
    this.name = "CannotPrompt";
  }
}

/** The user name or the password is wrong. */
export class PasswordRejected extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_PASSWORD_REJECTED", message, facts);
    this.name = "PasswordRejected";
  }
}

/** The code of a device login was not entered in time. */
export class LoginExpired extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_LOGIN_EXPIRED", message, facts);
    this.name = "LoginExpired";
  }
}

/** A device login was denied. */
export class LoginRefused extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_LOGIN_REFUSED", message, facts);
    this.name = "LoginRefused";
  }
}

/** The server refused the request: any 4xx that has no error of its own. */
export class RequestRefused extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_REFUSED", message, facts);
    this.name = "RequestRefused";
  }
}

/** The server asks to wait. */
export class TooManyRequests extends TiledError {
  /** Seconds; null if the server did not say. */
  readonly retryAfter: number | null;

  constructor(message: string, facts: ErrorFacts & { readonly retryAfter: number | null }) {
    super("ERR_TOO_MANY_REQUESTS", message, facts);
    this.name = "TooManyRequests";
    this.retryAfter = facts.retryAfter;
  }
}

/** The server cannot be reached, failed, or sent what no server of this API sends. */
export class ServerUnavailable extends TiledError {
  /** How often the request was sent. */
  readonly attempts: number;

  constructor(message: string, facts: ErrorFacts & { readonly attempts: number }) {
    super("ERR_UNAVAILABLE", message, facts);
    this.name = "ServerUnavailable";
    this.attempts = facts.attempts;
  }
}

/** A server without logins has one fixed key, and makes no others. */
export class NoKeysHere extends TiledError {
  constructor() {
    super("ERR_NO_KEYS", "This server has no logins: it has one fixed API key and makes no others.");
    this.name = "NoKeysHere";
  }
}
