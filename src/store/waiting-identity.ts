/**
 * Writes and reads the identity of an unfinished login, which is stored with a device login or a one-time code: its id as text,
 * its state and its profile as JSON.
 */
import type { AuthenticatedIdentity, Profile } from "../domain/ports/authenticator.ts";
import { writeState } from "./base/codec.ts";

interface Written {
  readonly identity: string;
  readonly state: string;
  readonly profile: string | null;
}

export function writeAuthenticated({ id, state = {}, profile }: AuthenticatedIdentity): Written {
  return {
    identity: id,
    state: writeState(state),
    profile: profile === undefined ? null : JSON.stringify(profile),
  };
}

export function readAuthenticated(
  id: string,
  told: { readonly session_state: Record<string, unknown> | null; readonly profile: Profile | null },
): AuthenticatedIdentity {
  const { session_state: state, profile } = told;
  return { id, state: state ?? {}, ...(profile === null ? {} : { profile }) };
}
