/** Checks that the database can hold an identity. One of the dialects would truncate others or confuse them. */
import type { IdentityRef } from "../domain/model/entities.ts";
import { isStorableText } from "../domain/model/storable-text.ts";
import { Failure } from "../errors.ts";

/** Whether both dialects store the identity unchanged. */
export function isStorable(identity: IdentityRef): boolean {
  return isStorableText(identity.provider) && isStorableText(identity.id);
}

/** @throws Failure `invalid` for an identity that cannot be stored */
export function requireStorable(identity: IdentityRef): void {
  if (!isStorable(identity)) {
    throw new Failure("invalid", {
      log: "An identity's id has more than 255 characters, a NUL, or is not Unicode.",
    });
  }
}
