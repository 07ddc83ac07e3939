/** The forms of `/account` that create and revoke API keys. */
import { Failure } from "../../errors.ts";
import { LIFETIMES, newKeyPage, USUAL_LIFETIME } from "../../pages/account-keys.ts";
import { MakeKeyBody, RevokeKeyBody } from "../../schemas/pages.ts";
import { personOf } from "../access/callers.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import type { AccountDeps } from "./account-deps.ts";
import { done, showAccount } from "./account-view.ts";
import { askAgain } from "./fresh-login.ts";

const FORM = { body: "form", formToken: true } as const;

export function accountKeyRoutes(app: TypedApp, deps: AccountDeps): void {
  const { site, links, services } = deps;

  app.post(
    "/account/keys/revoke",
    {
      config: { ...FORM, access: { person: ["revoke:apikeys"] } },
      schema: { hide: true, body: RevokeKeyBody },
    },
    async (request, reply) => {
      const { principal } = personOf(request);
      const again = askAgain(deps, request, reply, "keys/revoke");
      if (again !== undefined) return again;
      const { first_eight = "" } = request.body;
      const revoked = await services.apiKeys.revoke(principal.uuid, first_eight, services.contextOf(request));
      return done(deps, request, reply, revoked ? "key-revoked" : "key-gone");
    },
  );

  app.post(
    "/account/keys",
    {
      config: { ...FORM, access: { person: ["create:apikeys"] } },
      schema: { hide: true, body: MakeKeyBody },
    },
    async (request, reply) => {
      const caller = personOf(request);
      const { note = "", lifetime = USUAL_LIFETIME, ...boxes } = request.body;
      const wanted = Object.hasOwn(LIFETIMES, lifetime) ? LIFETIMES[lifetime] : undefined;
      if (wanted === undefined) throw new Failure("bad_request", { log: "a lifetime that no form has" });
      const scopes = "inherit" in boxes ? null : tickedScopes(boxes);
      const refuse = (problem: string, status: number) =>
        showAccount(deps, request, reply, { problem: { problem, note }, status });
      if (scopes?.length === 0) return refuse("Say what the key may do: tick a box at least.", 422);
      const again = askAgain(deps, request, reply, "keys");
      if (again !== undefined) return again;
      try {
        const { key, secret } = await services.apiKeys.create(
          caller,
          caller.principal,
          { expiresIn: wanted.seconds, scopes, note: note.trim() === "" ? null : note, accessTags: null },
          services.contextOf(request),
        );
        const { note: kept, expirationTime, scopes: granted } = key;
        const at = { site, basePath: links.rootPath, baseUrl: links.base(request) };
        return sendPage(reply, newKeyPage({ ...at, secret, note: kept, expirationTime, scopes: granted }), {
          noStore: true,
        });
      } catch (error) {
        const text = keyProblem(error);
        if (text === null) throw error;
        request.failure = error as Failure;
        return refuse(text, (error as Failure).status);
      }
    },
  );
}

const SCOPE_BOX = "scope ";

function tickedScopes(boxes: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(boxes).flatMap((name) =>
    name.startsWith(SCOPE_BOX) ? [name.slice(SCOPE_BOX.length)] : [],
  );
}

function keyProblem(error: unknown): string | null {
  if (!(error instanceof Failure)) return null;
  switch (error.code) {
    case "limit_reached":
      return "You have as many keys as this server allows. Revoke one first.";
    case "invalid":
      return "A note has at most 255 characters.";
    case "forbidden":
      return "A key cannot do more than you: tick fewer boxes.";
    default:
      return null;
  }
}
