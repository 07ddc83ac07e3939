/**
 * Exports of both builds of `tiled-auth/client`: `index.ts` for browsers, `node/index.ts` for Node.
 */
export type { Admin, PageOptions } from "./admin.ts";
export type { AuthenticateOptions, ContextOptions, Prompt } from "./context.ts";
export { type DeviceCodeGrantOptions, deviceCodeGrant, type Verification } from "./device-code-grant.ts";
export {
  CannotPrompt,
  CannotRefreshAuthentication,
  LoginExpired,
  LoginRefused,
  NoKeysHere,
  PasswordRejected,
  RequestRefused,
  ServerUnavailable,
  TiledError,
  TooManyRequests,
} from "./errors.ts";
export type { NewKeyOptions, SignalOption } from "./keys.ts";
export type { ConnectOptions } from "./parts.ts";
export { type PasswordGrantOptions, passwordGrant } from "./password-grant.ts";
export { MemoryStore, type StoredTokens, type TokenStore } from "./store.ts";
export type { RetryOptions } from "./transport.ts";
export type { ApiKey, NewApiKey, Principal, Provider, ServerInfo, Tokens } from "./wire.ts";
