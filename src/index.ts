/**
 * The public API, for two readers: an operator who writes an authenticator or an access policy in TypeScript, and a program
 * that runs the server inside itself. Names that are not exported here may change in any release.
 *
 * Guides: `docs/how-to/authenticators.md` and `docs/how-to/access-control.md`. To serve, take a configuration from
 * `loadConfig` or `configFromObject` to `startServer`.
 */

export type { Overrides } from "./config/context.ts";
// Configuration and server
export { configFromObject, loadConfig } from "./config/load.ts";
export type { Config } from "./config/model.ts";
// Access policies
export type { IdentityRef } from "./domain/model/entities.ts";
export type { Scope } from "./domain/model/scopes.ts";
// Authenticators
export type {
  AuthenticatedIdentity,
  Authenticator,
  AuthenticatorClass,
  AuthenticatorContext,
  AuthorizationRequest,
  AuthorizationResponse,
  ExternalAuthenticator,
  PasswordAuthenticator,
  Profile,
  ProviderLogin,
  ProxiedAuthenticator,
  ProxiedIdentity,
  ProxiedLinks,
} from "./domain/ports/authenticator.ts";

// Errors
export {
  Failure,
  type FailureCode,
  type FailureOptions,
  type InputProblem,
  OperatorError,
} from "./errors.ts";
export { VERSION } from "./lib/version.ts";
export { type RunningServer, type ServerOptions, type StopTimeouts, startServer } from "./server.ts";
export type {
  AccessPolicy,
  PolicyCaller,
  PolicyClass,
  PolicyContext,
  PolicyNode,
} from "./trees/policies/contract.ts";
export type { Environment } from "./yaml/interpolate.ts";
export { ConfigError, type ConfigPlace, type ConfigProblem } from "./yaml/problems.ts";
