/**
 * `/account`: shows a person their account, with forms that end sessions. `account-keys.ts` has the forms for keys,
 * `identities.ts` those for identities.
 */
import { Failure } from "../../errors.ts";
import { parseUuid } from "../../lib/uuid.ts";
import { AccountQuery, EndSessionBody, TokenBody } from "../../schemas/pages.ts";
import { personOf } from "../access/callers.ts";
import type { TypedApp } from "../typed-app.ts";
import type { AccountDeps } from "./account-deps.ts";
import { done, showAccount } from "./account-view.ts";
import { askAgain, goOnRoute } from "./fresh-login.ts";

const FORM = { access: "person", body: "form", formToken: true } as const;

export function accountRoutes(app: TypedApp, deps: AccountDeps): void {
  const { services } = deps;

  app.get(
    "/account",
    { config: { access: "person" }, schema: { hide: true, querystring: AccountQuery } },
    (request, reply) => showAccount(deps, request, reply, {}),
  );

  goOnRoute(app, deps);

  app.post(
    "/account/sessions/end",
    { config: FORM, schema: { hide: true, body: EndSessionBody } },
    async (request, reply) => {
      const { principal, session: own } = personOf(request);
      const session = parseUuid(request.body.session);
      const again = session === own ? undefined : askAgain(deps, request, reply, "sessions/end");
      if (again !== undefined) return again;
      const ended =
        session !== undefined &&
        (await unlessGone(services.sessions.revokeOwn(session, principal.uuid, services.contextOf(request))));
      return done(deps, request, reply, ended ? "session-ended" : "session-gone");
    },
  );

  app.post(
    "/account/sessions/end-others",
    { config: FORM, schema: { hide: true, body: TokenBody } },
    async (request, reply) => {
      const again = askAgain(deps, request, reply, "sessions/end-others");
      if (again !== undefined) return again;
      await services.accounts.endOthers(personOf(request), services.contextOf(request));
      return done(deps, request, reply, "others-ended");
    },
  );
}

async function unlessGone(ending: Promise<void>): Promise<boolean> {
  try {
    await ending;
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === "not_found") return false;
    throw error;
  }
}
