/**
 * From a checked id_token to an identity: which claim names the person, and whether that person may log in
 * (`user_id_claim`, `allowed_users`, `allowed_domains`). An e-mail address counts only where the provider verified it.
 */

import type { AuthenticatedIdentity } from "../../domain/ports/authenticator.ts";
import { Failure } from "../../errors.ts";
import { sameAddress } from "../../lib/fold.ts";
import { isName } from "./id-token.ts";
import { quoted } from "./signature.ts";

export interface PersonRules {
  readonly claim: string;
  /** Null: not narrowed. Where both are given, one of them is enough. */
  readonly users: readonly string[] | null;
  readonly domains: readonly string[] | null;
  /** Claims that are kept with the login, for the access policy. */
  readonly keep?: readonly string[];
}

type Claims = Readonly<Record<string, unknown>>;

/** The scopes that the rules need the provider to be asked for. */
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
        `The provider's id_token has no claim ${quoted(claim)} that is a text of 1 to 255 characters: ` +
        "look at args.user_id_claim, and at args.scopes, by which the provider is asked for claims.",
    });
  }
  if (!isAllowed(id, claims, rules)) {
    throw new Failure("login_refused", {
      log: `${quoted(id)} may not log in: neither one of args.allowed_users nor with a verified address of args.allowed_domains.`,
    });
  }
  return { id, ...keptClaims(claims, keep) };
}

/** More are not kept: they are read at every login, and shown to the person. */
const MOST_VALUES = 2000;

/** As the `state` of an identity: texts and lists of texts, and nothing where there are none. */
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
  // Mailboxes do not differ by case alone, and providers give addresses as they were first typed.
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
