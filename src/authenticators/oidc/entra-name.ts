/**
 * The name of a user from Microsoft Entra ID's claims: `alice` of alice@example.org or EXAMPLE\alice. Guests keep their whole
 * name, else a guest alice@elsewhere.example would be the tenant's own alice.
 */
import { Failure } from "../../errors.ts";
import { sameAddress } from "../../lib/fold.ts";
import { isName } from "./id-token.ts";
import { quotedForLog } from "./signature.ts";

type Claims = Readonly<Record<string, unknown>>;

/** `domains`: of user names that may log in; null: all. */
export function entraName(claims: Claims, domains: readonly string[] | null): string {
  const whole = userName(claims);
  const { name, domain } = split(whole ?? "");
  if (domains !== null && !domains.some((allowed) => domain !== null && sameAddress(allowed, domain))) {
    throw new Failure("login_refused", {
      log: `${quotedForLog(whole ?? claims["sub"])} may not log in: not of a domain in args.allowed_domains.`,
    });
  }
  const id = whole === undefined ? claims["sub"] : isGuest(claims, whole) ? whole : name;
  if (isName(id)) return id;
  throw new Failure("provider_invalid", {
    log:
      "The provider's token has no name: none of preferred_username, upn and sub is text of 1 to 255 characters. " +
      "Add 'preferred_username' to the optional claims of the application's tokens.",
  });
}

/** An unverified address may belong to another user. */
export function isVerifiedByEntra(claims: Claims): boolean {
  return claims["email_verified"] === true || claims["xms_edov"] === true;
}

function userName(claims: Claims): string | undefined {
  const email = isVerifiedByEntra(claims) ? claims["email"] : undefined;
  const names = [claims["nameID"], claims["preferred_username"], claims["upn"], email];
  return names.find((name): name is string => isName(name))?.trim();
}

function split(whole: string): { readonly name: string; readonly domain: string | null } {
  const backslash = whole.lastIndexOf("\\");
  if (backslash !== -1) {
    return { name: whole.slice(backslash + 1), domain: whole.slice(0, backslash) };
  }
  const at = whole.indexOf("@");
  return at === -1
    ? { name: whole, domain: null }
    : { name: whole.slice(0, at), domain: whole.slice(at + 1) };
}

/** By `acct`, the guest's own provider, or the name that the tenant gave to the guest. */
function isGuest(claims: Claims, whole: string): boolean {
  const { acct, idp, tid, iss } = claims;
  if (acct === 1 || /#EXT#/i.test(whole)) return true;
  if (typeof idp !== "string" || idp === iss) return false;
  return typeof tid !== "string" || !idp.includes(tid);
}
