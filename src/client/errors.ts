/**
 * The client's errors. Each has a stable `code`, and no message contains a secret. An aborted call rejects with the signal's own
 * reason instead.
 */

export interface ErrorFacts {
  readonly status?: number | null;
  readonly detail?: unknown;
  readonly requestId?: string | null;
  readonly url?: string | null;
  readonly cause?: unknown;
}

/**
 * Base class of all errors of the client.
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
  /** The answer's status; null without an answer. */
  readonly status: number | null;
  /** The server's explanation: text, or for invalid input a list of `{type, loc, msg}`. */
  readonly detail: unknown;
  /** Finds the request in the server's log. */
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

/** The login has ended or is missing: log in again. The tokens are forgotten. */
export class CannotRefreshAuthentication extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_CANNOT_REFRESH", message, facts);
    this.name = "CannotRefreshAuthentication";
  }
}

/** A login is required, and there is no prompt or terminal. */
export class CannotPrompt extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_CANNOT_PROMPT", message, facts);
    this.name = "CannotPrompt";
  }
}

/** Incorrect user name or password. */
export class PasswordRejected extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_PASSWORD_REJECTED", message, facts);
    this.name = "PasswordRejected";
  }
}

/** The code of a device login expired. */
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

/** The server refused the request: any 4xx without an error of its own. */
export class RequestRefused extends TiledError {
  constructor(message: string, facts?: ErrorFacts) {
    super("ERR_REFUSED", message, facts);
    this.name = "RequestRefused";
  }
}

/** Rate limit of the server (429). */
export class TooManyRequests extends TiledError {
  /** Seconds; null if the server did not say. */
  readonly retryAfter: number | null;

  constructor(message: string, facts: ErrorFacts & { readonly retryAfter: number | null }) {
    super("ERR_TOO_MANY_REQUESTS", message, facts);
    this.name = "TooManyRequests";
    this.retryAfter = facts.retryAfter;
  }
}

/** The server cannot be reached, failed (5xx), or is not a Tiled server. */
export class ServerUnavailable extends TiledError {
  /** How often the request was sent. */
  readonly attempts: number;

  constructor(message: string, facts: ErrorFacts & { readonly attempts: number }) {
    super("ERR_UNAVAILABLE", message, facts);
    this.name = "ServerUnavailable";
    this.attempts = facts.attempts;
  }
}

/** API keys cannot be created on a server without logins, which has one fixed key. */
export class NoKeysHere extends TiledError {
  constructor() {
    super("ERR_NO_KEYS", "This server has no logins and one fixed API key. It cannot create others.");
    this.name = "NoKeysHere";
  }
}
