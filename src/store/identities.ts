/** Which identities the database can hold. Others would be cut, or confused with another, by one of the dialects. */
import type { IdentityRef } from "../domain/model/entities.ts";
import { isStorableText } from "../domain/model/storable-text.ts";
import { Failure } from "../errors.ts";

export function isStorable(identity: IdentityRef): boolean {
  return isStorableText(identity.provider) && isStorableText(identity.id);
}

export function requireStorable(identity: IdentityRef): void {
  if (!isStorable(identity)) {
    throw new Failure("invalid", {
      log: "An identity's id has more than 255 characters, a NUL, or is not Unicode.",
    });
  }
}
