/**
 * Checks the profile (name, verified address) that an authenticator returned. An operator's class may return anything. A field
 * that cannot be stored is dropped with a warning that names the field and not its content, and the login goes on.
 */
import { isStorableText } from "../model/storable-text.ts";
import type { AuthenticatedIdentity, Profile } from "../ports/authenticator.ts";

/** The identity with only those fields of its profile that can be stored. */
export function withStorableProfile(
  provider: string,
  authenticated: AuthenticatedIdentity,
  warn: ((message: string) => void) | undefined,
): AuthenticatedIdentity {
  const { id, state } = authenticated;
  const told: unknown = authenticated.profile;
  if (told === undefined) return authenticated;
  const drop = (what: string) =>
    warn?.(
      `The ${what} that the provider '${provider}' sent for ${JSON.stringify(id)} is not text of at most 255 characters and was dropped.`,
    );
  const identity = state === undefined ? { id } : { id, state };
  if (told === null) return identity;
  if (typeof told !== "object") {
    drop("profile");
    return identity;
  }
  const profile: { -readonly [K in keyof Profile]: Profile[K] } = {};
  for (const field of ["name", "email"] as const) {
    const text = (told as Readonly<Record<string, unknown>>)[field] ?? "";
    if (typeof text !== "string" || !isStorableText(text)) drop(`profile's ${field}`);
    else if (text !== "") profile[field] = text;
  }
  return { ...identity, profile };
}
