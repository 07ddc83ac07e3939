/**
 * Which identities the database can hold: both dialects keep the same ones, so that a database can move. Longer or
 * stranger ones would be cut or confused with others by one of them.
 */
import type { IdentityRef } from "../domain/model/entities.ts";
import { Failure } from "../errors.ts";

const LONGEST = 255;

/** Well-formed Unicode without NUL, at most 255 characters. */
export function isStorable(identity: IdentityRef): boolean {
  return [identity.provider, identity.id].every(
    (text) =>
      text.isWellFormed() && !text.includes("\0") && (text.length <= LONGEST || [...text].length <= LONGEST),
  );
}

export function requireStorable(identity: IdentityRef): void {
  if (!isStorable(identity)) {
    throw new Failure("invalid", {
      log: "An identity's id has more than 255 characters, a NUL, or is not Unicode.",
    });
  }
}
