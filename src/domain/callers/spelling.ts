/**
 * Names in another spelling than the one that is known, e.g. ALICE of alice: what a person and the operator are told. Which
 * they are is found by the store.
 */
import { Failure } from "../../errors.ts";
import { sameAddress } from "../../lib/fold.ts";
import type { IdentityRef } from "../model/entities.ts";
import type { PrincipalStore } from "../ports/principals.ts";

/** Whether a provider's backend tells names apart that differ in case, or in the form of their letters, only. */
export type CaseRule = (provider: string) => boolean;
/** Whether a provider names people by their e-mail addresses. */
export type AddressRule = (provider: string) => boolean;

export function refusedSpelling({ provider, id }: IdentityRef, known: string): Failure {
  return new Failure("other_spelling", {
    log:
      `The provider '${provider}' let in ${JSON.stringify(id)}, which is another spelling of ${JSON.stringify(known)}: ` +
      "refused, since both may be one person. If the provider tells them apart, set case_sensitive: true beside its name " +
      "in authentication.providers; else the person logs in with the spelling that is known.",
  });
}

/**
 * Providers give an e-mail address as it was first typed. Other case means the same mailbox, so the known spelling is the
 * identity. Any other form of a letter is another address, whose login is refused as usual.
 */
export async function knownAddress(
  principals: Pick<PrincipalStore, "summaryOfIdentity" | "spellings">,
  identity: IdentityRef,
): Promise<string> {
  if ((await principals.summaryOfIdentity(identity)) !== undefined) return identity.id;
  const spellings = await principals.spellings(identity);
  return spellings.find(({ id }) => sameAddress(id, identity.id))?.id ?? identity.id;
}
