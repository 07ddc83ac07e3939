/**
 * Names in another spelling than the known one, e.g. ALICE for alice: the refusal, and the exception for e-mail addresses. The
 * store finds them.
 */
import { Failure } from "../../errors.ts";
import { sameAddress } from "../../lib/fold.ts";
import type { IdentityRef } from "../model/entities.ts";
import type { PrincipalStore } from "../ports/principals.ts";

/** Whether a provider distinguishes names that differ only in case or in the form of their letters. */
export type CaseRule = (provider: string) => boolean;
/** Whether a provider's ids are e-mail addresses. */
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
 * The known spelling of an e-mail address. Providers return addresses as they were first typed, and another case means the
 * same mailbox. Any other form of a letter is another address, whose login is refused as usual.
 */
export async function knownAddress(
  principals: Pick<PrincipalStore, "summaryOfIdentity" | "spellings">,
  identity: IdentityRef,
): Promise<string> {
  if ((await principals.summaryOfIdentity(identity)) !== undefined) return identity.id;
  const spellings = await principals.spellings(identity);
  return spellings.find(({ id }) => sameAddress(id, identity.id))?.id ?? identity.id;
}
