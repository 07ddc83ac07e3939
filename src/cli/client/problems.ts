/**
 * Turns errors of the client library into errors of a command: one line with the server's detail and the request's id, and what
 * to do. Loaded only after a failure.
 */
import {
  CannotPrompt,
  CannotRefreshAuthentication,
  RequestRefused,
  ServerUnavailable,
  TiledError,
  TooManyRequests,
} from "../../client/errors.ts";
import { codeOf, UNTRUSTED } from "../../client/transport.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";

/** A login is needed, and no person can be asked. */
export const LOGIN_NEEDED = 4;
const LOGIN_HINT = "Log in with 'tiled login', or set TILED_API_KEY.";

const CHECK_ADDRESS =
  "Check the address: it is a Tiled server's, such as https://tiled.example.org, or that of an entry on it.";

/** By OpenSSL's and Node's codes. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "The connection was refused.",
  ECONNRESET: "The connection was closed.",
  EAI_AGAIN: "Its name could not be looked up.",
  ENOTFOUND: "There is no host of this name.",
  EHOSTUNREACH: "There is no route to it.",
  ENETUNREACH: "There is no network.",
  ETIMEDOUT: "It did not answer in time.",
  UND_ERR_CONNECT_TIMEOUT: "It did not answer in time.",
  UND_ERR_SOCKET: "The connection was closed.",
};

/** Any other error is returned as it is. */
export function asOperatorError(error: unknown): unknown {
  if (isOfStore(error))
    return new OperatorError(
      `The login cannot be read or stored: ${printable(error.message)}`,
      1,
      "TILED_CACHE_DIR names another folder for logins.",
    );
  // Of the server's about document.
  if (error instanceof TypeError && error.message.startsWith("Unsafe address"))
    return new OperatorError(error.message);
  if (!(error instanceof TiledError)) return error;
  const message = printable(error.message);
  if (error instanceof CannotRefreshAuthentication)
    return new OperatorError("The login has ended.", LOGIN_NEEDED, LOGIN_HINT);
  if (error instanceof CannotPrompt) return new OperatorError(message, LOGIN_NEEDED, LOGIN_HINT);
  if (error instanceof ServerUnavailable) return unavailable(error, message);
  return new OperatorError(message, 1, hintFor(error));
}

function unavailable(error: ServerUnavailable, message: string): OperatorError {
  const code = codeOf(error);
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code ?? ""))
    return new OperatorError(`${message} It does not speak TLS.`, 1, "Try the address with http://.");
  if (UNTRUSTED.test(code ?? ""))
    return new OperatorError(
      `${message} Its certificate cannot be trusted (${code}).`,
      1,
      "If your site has a certificate authority of its own, name its file in NODE_EXTRA_CA_CERTS. A profile made with 'tiled profile create URI --no-verify' accepts any certificate.",
    );
  // An answer without an error, or one that is not ours.
  if (error.status !== null && error.status < 500) return new OperatorError(message, 1, CHECK_ADDRESS);
  const reason = reasonFor(error);
  return new OperatorError(reason === null ? message : `${message} ${reason}`);
}

/** Why no answer came: a sentence, or a code that has none. */
export function reasonFor(error: unknown): string | null {
  const code = codeOf(error);
  return code === null ? null : (REASONS[code] ?? `(${code})`);
}

function hintFor(error: TiledError): string | null {
  // The about document, which every server has.
  if (error instanceof RequestRefused && error.status === 404 && /\/api\/v1\/$/.test(error.url ?? ""))
    return CHECK_ADDRESS;
  if (error instanceof TooManyRequests && error.retryAfter !== null)
    return `Try again in ${Math.ceil(error.retryAfter)} s.`;
  if (
    error instanceof RequestRefused &&
    error.status === 401 &&
    typeof error.detail === "string" &&
    /api key/i.test(error.detail)
  )
    return "The key comes from TILED_API_KEY or from the server's address.";
  return null;
}

/** A system error at a file of `FileStore`. */
function isOfStore(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "path" in error && /[/\\]tokens(?:[/\\]|$)/.test(String(error.path));
}
