/**
 * Login tokens: handed to a service or viewer by a logged-in browser. They expire, end with the browser's session, and cannot
 * make, list or revoke API tokens. `callers.ts` checks them.
 */
import type { Clock } from "../../lib/clock.ts";
import { newKeySecret } from "../callers/key-secret.ts";
import type { BrowserCaller } from "../model/caller.ts";
import type { CaveLogin } from "../model/cave.ts";
import type { RequestContext } from "../model/entities.ts";
import { credentialRevoked } from "../model/revoked.ts";
import type { CaveStore } from "../ports/cave.ts";
import type { CaveCallers } from "./callers.ts";
import type { CaveRulesInForce } from "./rules.ts";

const SECRET_BYTES = 16;
/** Live tokens of one session. Each hand-over makes one. */
const MAX_LOGINS = 200;

export class CaveLogins {
  readonly #store: CaveStore;
  readonly #callers: Pick<CaveCallers, "loginEnded">;
  readonly #rules: CaveRulesInForce;
  readonly #clock: Clock;

  constructor(deps: {
    readonly store: CaveStore;
    readonly callers: Pick<CaveCallers, "loginEnded">;
    readonly rules: CaveRulesInForce;
    readonly clock: Clock;
  }) {
    this.#store = deps.store;
    this.#callers = deps.callers;
    this.#rules = deps.rules;
    this.#clock = deps.clock;
  }

  /** A new token, 32 hex digits, for the origin that it is handed to. */
  async issue(browser: BrowserCaller, origin: string, context: RequestContext): Promise<string> {
    const { secret, digest } = newKeySecret(SECRET_BYTES);
    const now = this.#clock.now();
    const outcome = await this.#store.openLogin({
      digest,
      principal: browser.principal.uuid,
      session: browser.session,
      origin,
      expirationTime: new Date(now + this.#rules.current.settings.loginTokenMaxAge * 1000),
      limit: MAX_LOGINS,
      now: new Date(now),
      context,
    });
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    for (const dropped of outcome.dropped) this.#callers.loginEnded(dropped);
    return secret;
  }

  /** Revokes a token; without effect if it has ended. */
  async end({ digest }: CaveLogin, context: RequestContext): Promise<void> {
    await this.#store
      .endLogin({ digest, now: new Date(this.#clock.now()), context })
      .finally(() => this.#callers.loginEnded(digest));
  }
}
