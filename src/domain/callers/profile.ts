/**
 * Checks the profile (name, verified address) that an authenticator returned. An operator's class may return anything, and no
 * login fails because of it: what cannot be stored is dropped with a warning that names the part, not its content.
 */
import { isStorableText } from "../model/storable-text.ts";
import type { AuthenticatedIdentity, Profile } from "../ports/authenticator.ts";

/** The identity with only those parts of its profile that can be stored. */
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
  for (const part of ["name", "email"] as const) {
    const text = (told as Readonly<Record<string, unknown>>)[part] ?? "";
    if (typeof text !== "string" || !isStorableText(text)) drop(`profile's ${part}`);
    else if (text !== "") profile[part] = text;
  }
  return { ...identity, profile };
}
