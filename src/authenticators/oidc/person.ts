/**
 * From the claims of a checked token to an identity: the claim that names the user, whether the user may log in
 * (`user_id_claim`, `allowed_users`, `allowed_domains`), and the profile (OpenID Connect Core, section 5.1). An e-mail
 * address counts only if the provider verified it.
 */

import type { AuthenticatedIdentity } from "../../domain/ports/authenticator.ts";
import { Failure } from "../../errors.ts";
import { sameAddress } from "../../lib/fold.ts";
import { isName } from "./id-token.ts";
import { quotedForLog } from "./signature.ts";

export interface PersonRules {
  readonly claim: string;
  /** Null: no restriction. With both, one of them is enough. */
  readonly users: readonly string[] | null;
  readonly domains: readonly string[] | null;
  /** Claims that are stored with the login, for the access policy. */
  readonly keep?: readonly string[];
}

type Claims = Readonly<Record<string, unknown>>;

/** The scopes to request for these rules. */
export function scopesFor({ claim, domains }: PersonRules): readonly string[] {
  return claim === "email" || domains !== null ? ["email"] : [];
}

export function identify(claims: Claims, rules: PersonRules): AuthenticatedIdentity {
  const { claim, keep = [] } = rules;
  const id = claim === "email" ? verifiedEmail(claims) : claims[claim];
  if (claim === "email" && id === null) {
    throw new Failure("login_refused", {
      log: "The provider's id_token has no verified e-mail address ('email' with 'email_verified': true), which args.user_id_claim asks for.",
    });
  }
  if (!isName(id)) {
    throw new Failure("provider_invalid", {
      log:
        `The provider's id_token has no claim ${quotedForLog(claim)} that is a text of 1 to 255 characters: ` +
        "check args.user_id_claim, and args.scopes, which request claims from the provider.",
    });
  }
  if (!isAllowed(id, claims, rules)) {
    throw new Failure("login_refused", {
      log: `${quotedForLog(id)} may not log in: neither in args.allowed_users nor with a verified address of args.allowed_domains.`,
    });
  }
  return { id, ...keptClaims(claims, keep), ...profileOf(claims) };
}

/** The claims that a profile is made of. ORCID's `name` is null for many people, while its parts are there. */
const PROFILE_CLAIMS = ["name", "given_name", "family_name", "email"] as const;

/** The name and the verified address. Undefined if the token has none of the claims. */
export function profileOf(claims: Claims): Pick<AuthenticatedIdentity, "profile"> | undefined {
  if (PROFILE_CLAIMS.every((claim) => claims[claim] === undefined)) return undefined;
  const name = shownName(claims);
  // Apple and JumpCloud send "true". To identify or admit a person the boolean is required.
  const verified = claims["email_verified"] === "true" ? { ...claims, email_verified: true } : claims;
  const email = verifiedEmail(verified);
  return { profile: { ...(name === null ? {} : { name }), ...(email === null ? {} : { email }) } };
}

function shownName({ name, given_name: given, family_name: family }: Claims): string | null {
  const parts = isName(name) ? [name] : [given, family].filter(isName);
  const shown = parts.map((part) => part.trim()).join(" ");
  return isName(shown) ? shown : null;
}

/** Limit of stored values, since each login reads them and the user's page shows them. */
const MOST_VALUES = 2000;

/** The `state` of an identity: the claims that are text or lists of text. Undefined if no claim is. */
export function keptClaims(
  claims: Claims,
  names: readonly string[],
): Pick<AuthenticatedIdentity, "state"> | undefined {
  const kept = names.flatMap((name) => {
    const values = [Object.hasOwn(claims, name) ? claims[name] : undefined].flat().filter(isName);
    return values.length === 0 ? [] : [[name, values.slice(0, MOST_VALUES)] as const];
  });
  return kept.length === 0 ? undefined : { state: Object.fromEntries(kept) };
}

function isAllowed(id: string, claims: Claims, { claim, users, domains }: PersonRules): boolean {
  if (users === null && domains === null) return true;
  // Mailboxes do not differ in case alone, and providers keep the spelling that was typed first.
  const isSame = (user: string) => (claim === "email" ? sameAddress(user, id) : user === id);
  if (users?.some(isSame)) return true;
  const domain = domainOf(verifiedEmail(claims) ?? "");
  return domain !== null && (domains ?? []).some((allowed) => sameAddress(allowed, domain));
}

function verifiedEmail(claims: Claims): string | null {
  const { email, email_verified: verified } = claims;
  return verified === true && isName(email) && domainOf(email) !== null ? email : null;
}

/** What follows the last @. */
function domainOf(address: string): string | null {
  const at = address.lastIndexOf("@");
  return at < 1 || at === address.length - 1 ? null : address.slice(at + 1);
}
