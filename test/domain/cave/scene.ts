/** CAVE's services on a database in memory, with a person who is logged in with a browser. */
import assert from "node:assert/strict";
import { ApiKeys } from "../../../src/domain/api-keys.ts";
import { KeyActivity } from "../../../src/domain/callers/key-activity.ts";
import { PrincipalCache } from "../../../src/domain/callers/principal-cache.ts";
import { type CaveCaller, CaveCallers, contextOfCaller } from "../../../src/domain/cave/callers.ts";
import { CaveLogins } from "../../../src/domain/cave/logins.ts";
import { CavePeople } from "../../../src/domain/cave/people.ts";
import { CaveRulesInForce } from "../../../src/domain/cave/rules.ts";
import { CaveTokens } from "../../../src/domain/cave/tokens.ts";
import type { BrowserCaller } from "../../../src/domain/model/caller.ts";
import type { RequestContext } from "../../../src/domain/model/entities.ts";
import { memoryStore } from "../../support/app.ts";
import { UNTOLD } from "../../support/changes.ts";
import { ManualClock } from "../../support/clock.ts";

export const ORIGIN: RequestContext = { address: null, requestId: null, actor: null };
const VIEWER = "https://viewer.example.org";
export const LOGIN_TOKEN_MAX_AGE = 3600;

export async function scene(options: { readonly apiKeyLimit?: number } = {}) {
  const clock = new ManualClock();
  const store = await memoryStore(clock);
  const principalCache = new PrincipalCache({ ...store, changes: UNTOLD }, clock);
  const activity = new KeyActivity(store.apiKeys, clock, (error) => assert.fail(String(error)));
  const keys = new ApiKeys({
    store: store.apiKeys,
    principalCache,
    clock,
    limit: options.apiKeyLimit ?? 100,
    cave: true,
  });
  const rules = new CaveRulesInForce({
    admins: [],
    origins: [VIEWER],
    loginTokenMaxAge: LOGIN_TOKEN_MAX_AGE,
    tos: [],
    datasets: [],
    groups: [],
  });
  const common = { store: store.cave, principalCache, activity, clock };
  const people = new CavePeople(common);
  const callers = new CaveCallers({ ...common, people });
  const tokens = new CaveTokens({ ...common, keys, createKey: (key) => store.apiKeys.create(key) });
  const logins = new CaveLogins({ ...common, callers, rules });
  const now = () => new Date(clock.now());

  const logIn = async (id: string, more: { readonly name?: string } = {}): Promise<BrowserCaller> => {
    const identity = { provider: "toy", id };
    const opened = await store.sessions.open({
      identity,
      now: now(),
      expirationTime: new Date(clock.now() + 30 * 86_400_000),
      state: {},
      admin: false,
      limit: 10,
      profile: more,
      context: ORIGIN,
    });
    assert.ok(opened.kind === "opened");
    const { principal, session } = opened;
    return {
      kind: "browser",
      scopes: new Set(principal.scopes),
      principal,
      session: session.uuid,
      identity,
      startedAt: now(),
    };
  };
  const byBrowser = (browser: BrowserCaller): RequestContext => ({
    ...ORIGIN,
    actor: browser.principal.uuid,
    credential: { kind: "browser", session: browser.session },
  });
  const identify = async (token: string): Promise<CaveCaller> => await callers.identify(token, () => ORIGIN);

  const ann = await logIn("ann");
  return {
    clock,
    store,
    principalCache,
    activity,
    keys,
    people,
    callers,
    tokens,
    logins,
    now,
    logIn,
    byBrowser,
    identify,
    ann,
    byAnn: byBrowser(ann),
    /** The context of a request with this token. */
    by: async (token: string) => contextOfCaller(await identify(token), ORIGIN),
    newToken: async (browser = ann) =>
      (await tokens.create(browser.principal, null, byBrowser(browser))).token,
    newLogin: (browser = ann) => logins.issue(browser, VIEWER, byBrowser(browser)),
    [Symbol.asyncDispose]: async () => {
      await activity.flush();
      await store.close();
    },
  };
}

export type Scene = Awaited<ReturnType<typeof scene>>;
