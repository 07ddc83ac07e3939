/**
 * The public API: a server from a configuration, and the types that an operator's own authenticator or access policy is
 * written against.
 */

export { configFromObject, loadConfig } from "./config/load.ts";
export type { Config } from "./config/model.ts";
export type {
  AuthenticatedIdentity,
  Authenticator,
  AuthenticatorClass,
  AuthenticatorContext,
  ExternalAuthenticator,
  PasswordAuthenticator,
  ProxiedAuthenticator,
} from "./domain/ports/authenticator.ts";
export { Failure, OperatorError } from "./errors.ts";
export { VERSION } from "./lib/version.ts";
export { type RunningServer, type ServerOptions, startServer } from "./server.ts";
