/**
 * Makes the domain's services for a server with accounts. The modes without providers have `single-user.ts`.
 */

import { addressRule, caseRule } from "../authenticators/case-rule.ts";
import type { Config } from "../config/model.ts";
import { Accounts } from "../domain/account.ts";
import { ApiKeys } from "../domain/api-keys.ts";
import { BrowserSessions } from "../domain/browser-session.ts";
import { type Callers, MultiUserCallers } from "../domain/callers/callers.ts";
import { KeyActivity } from "../domain/callers/key-activity.ts";
import { PrincipalCache } from "../domain/callers/principal-cache.ts";
import { ProxiedCallers } from "../domain/callers/proxied.ts";
import type { AddressRule, CaseRule } from "../domain/callers/spelling.ts";
import { Linking } from "../domain/linking.ts";
import { AccountLinks } from "../domain/login/account-links.ts";
import { BrowserLogins } from "../domain/login/browser-login.ts";
import { DeviceLogins } from "../domain/login/device.ts";
import { HandOvers } from "../domain/login/hand-over.ts";
import { Login } from "../domain/login/login.ts";
import { PostedReturns } from "../domain/login/posted-return.ts";
import { LoginSeals } from "../domain/login/sealed-login.ts";
import type { Store } from "../domain/ports/store.ts";
import { Principals } from "../domain/principals.ts";
import { Sessions } from "../domain/sessions.ts";
import { LoginBudget } from "../domain/throttling/login-budget.ts";
import { LoginThrottle } from "../domain/throttling/throttle.ts";
import { type Lifetimes, Tokens } from "../domain/tokens/tokens.ts";
import { requestContext } from "../http/access/request-context.ts";
import type { AuthServices } from "../http/auth/services.ts";
import type { Proxies } from "../http/proxies.ts";
import type { AppParts } from "./parts.ts";

/** Limits for one address: waiting device logins, and remembered states of browser logins. */
const WAITING_LOGINS = 500;
const REMEMBERED_RETURNS = 5000;

export interface MultiUserParts {
  readonly callers: Callers;
  readonly services: AuthServices;
  readonly tokens: Tokens;
  readonly accountLinks: AccountLinks;
  /** Null: each host has its own logins. */
  readonly handOvers: HandOvers | null;
  /** Null without CAVE's pages, which are handed logins at a provider. */
  readonly caveHandOvers: HandOvers | null;
}

/** Null in the modes without providers. */
export function multiUserParts(config: Config, parts: AppParts, proxies: Proxies): MultiUserParts | null {
  const { store, clock } = parts;
  const { authentication } = config;
  if (authentication.providers.length === 0) return null;
  if (store === null) throw new Error("A server with providers needs a store.");
  const lifetimes = lifetimesOf(config);
  const tokens = new Tokens(parts.secretKeys, lifetimes, clock);
  const principalCache = new PrincipalCache(store, clock);
  const activity = new KeyActivity(
    store.apiKeys,
    clock,
    (error) => {
      parts.logger.error(
        { err: error },
        "The use of API keys could not be recorded; the next use tries again.",
      );
    },
    (principal) => principalCache.documentChanged(principal),
  );
  const own = new MultiUserCallers({
    tokens,
    principalCache,
    activity,
    clock,
    allowAnonymous: authentication.allowAnonymousAccess,
  });
  const caseSensitive = caseRule(authentication.providers, parts.authenticators);
  const namesAddresses = addressRule(authentication.providers, parts.authenticators);
  const callers = withProviders(own, { ...parts, store, principalCache, caseSensitive, namesAddresses });
  const throttle = new LoginThrottle(store.failures, authentication.loginThrottle);
  const login = new Login({
    sessions: store.sessions,
    audit: store.audit,
    principals: store.principals,
    tokens,
    principalCache,
    throttle,
    clock,
    lifetimes,
    sessionLimit: authentication.sessionLimit,
    warn: (message) => parts.logger.warn(message),
    budget: new LoginBudget(authentication.loginBudget, clock),
    admins: authentication.admins,
    adminGroups: authentication.adminGroups,
    caseSensitive,
    namesAddresses,
  });
  const seals = new LoginSeals(parts.secretKeys, clock);
  const posted = new PostedReturns({ store: store.browserLogins, devices: store.deviceLogins, seals, clock });
  const common = { login, throttle, posted, clock };
  const handOvers =
    config.server.accountUrl === null && config.cave === null
      ? null
      : new HandOvers({ secrets: parts.secretKeys, store: store.browserLogins, clock });
  const services: AuthServices = {
    login,
    deviceLogins: new DeviceLogins({
      store: store.deviceLogins,
      ...common,
      sessionLimit: authentication.sessionLimit,
      waitingLimit: WAITING_LOGINS,
    }),
    browserLogins: new BrowserLogins({
      store: store.browserLogins,
      ...common,
      seals,
      waitingLimit: REMEMBERED_RETURNS,
    }),
    sessions: new Sessions({
      store: store.sessions,
      tokens,
      principalCache,
      clock,
      rules: { rotate: authentication.refreshTokenRotation, grace: authentication.refreshTokenGrace },
    }),
    browserSessions: new BrowserSessions({
      store: store.browserSessions,
      principalCache,
      login,
      clock,
      lifetimes,
      handOvers,
      onError: (error) => {
        parts.logger.error({ err: error }, "The use of a browser's login could not be recorded.");
      },
    }),
    accounts: new Accounts({ store: store.accounts, principalCache, clock }),
    linking: new Linking({
      store: store.accounts,
      principalCache,
      clock,
      providers: [...parts.authenticators.keys()],
      caseSensitive,
    }),
    apiKeys: new ApiKeys({
      store: store.apiKeys,
      principalCache,
      clock,
      limit: authentication.apiKeyLimit,
      cave: config.cave !== null,
    }),
    principals: new Principals({ store: store.principals, principalCache, clock }),
    principalCache,
    activity,
    contextOf: (request) => requestContext(request, proxies, request.caller),
  };
  return {
    callers,
    services,
    tokens,
    accountLinks: new AccountLinks({ store: store.localAccounts, principalCache, clock }),
    handOvers: config.server.accountUrl === null ? null : handOvers,
    caveHandOvers: config.cave === null ? null : handOvers,
  };
}

/** Also accepts access tokens of a proxied provider. There is at most one, which loading has checked. */
function withProviders(
  own: Callers,
  parts: Pick<AppParts, "authenticators" | "clock" | "logger"> & {
    readonly store: Store;
    readonly principalCache: PrincipalCache;
    readonly caseSensitive: CaseRule;
    readonly namesAddresses: AddressRule;
  },
): Callers {
  const { store, principalCache, clock, caseSensitive, namesAddresses } = parts;
  for (const [provider, authenticator] of parts.authenticators) {
    if (authenticator.kind !== "proxied") continue;
    return new ProxiedCallers({
      own,
      provider,
      authenticator,
      principals: store.principals,
      principalCache,
      clock,
      caseSensitive: caseSensitive(provider),
      namesAddresses: namesAddresses(provider),
      warn: (message) => parts.logger.warn(message),
    });
  }
  return own;
}

export function lifetimesOf({ authentication }: Config): Lifetimes {
  return {
    accessToken: authentication.accessTokenMaxAge,
    refreshToken: authentication.refreshTokenMaxAge,
    session: authentication.sessionMaxAge,
  };
}
