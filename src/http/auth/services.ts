/** What the routes for logins, sessions, keys and accounts work with; `app.ts` puts it together. */
import type { FastifyRequest } from "fastify";
import type { Accounts } from "../../domain/account.ts";
import type { ApiKeys } from "../../domain/api-keys.ts";
import type { BrowserSessions } from "../../domain/browser-session.ts";
import type { KeyActivity } from "../../domain/callers/key-activity.ts";
import type { PrincipalCache } from "../../domain/callers/principal-cache.ts";
import type { Linking } from "../../domain/linking.ts";
import type { BrowserLogins } from "../../domain/login/browser-login.ts";
import type { DeviceLogins } from "../../domain/login/device.ts";
import type { Login } from "../../domain/login/login.ts";
import type { RequestContext } from "../../domain/model/entities.ts";
import type { Principals } from "../../domain/principals.ts";
import type { Sessions } from "../../domain/sessions.ts";

export interface AuthServices {
  readonly login: Login;
  readonly deviceLogins: DeviceLogins;
  readonly browserLogins: BrowserLogins;
  readonly sessions: Sessions;
  readonly apiKeys: ApiKeys;
  readonly principals: Principals;
  readonly browserSessions: BrowserSessions;
  readonly accounts: Accounts;
  readonly linking: Linking;
  readonly principalCache: PrincipalCache;
  readonly activity: KeyActivity;
  /** For the audit log. */
  contextOf(request: FastifyRequest): RequestContext;
}
