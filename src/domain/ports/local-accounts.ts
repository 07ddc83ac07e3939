/**
 * The store's part for accounts that this server keeps itself. The rules of `store.ts` hold. A password is stored and returned
 * as its hash only; `authenticators/passwords` makes and checks hashes.
 */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { RequestContext } from "../model/entities.ts";

export type LocalAccountState = "active" | "disabled";

export interface LocalAccount {
  /** Never given to another account. */
  readonly id: number;
  /** The identity's id. */
  readonly name: string;
  readonly email: string | null;
  /** Null: none was set yet. */
  readonly password: string | null;
  readonly state: LocalAccountState;
  /** Sorted. */
  readonly groups: readonly string[];
}

/** An account as an operator's list shows it. */
export interface ListedAccount extends LocalAccount {
  readonly latestLogin: Date | null;
  /** Whether its principal is disabled. */
  readonly principalDisabled: boolean;
}

/** A link that sets a password once. Only its digest is stored. */
export interface NewLink {
  readonly digest: Digest;
  readonly expirationTime: Date;
}

export type LinkPurpose = "invitation" | "reset";

/** The account whose password a link sets. */
export interface LinkedAccount {
  readonly purpose: LinkPurpose;
  readonly provider: string;
  readonly name: string;
  readonly email: string | null;
}

export interface NewLocalAccount {
  readonly name: string;
  readonly email: string | null;
  /** Its hash, or a link by which the person sets one. */
  readonly password: string | NewLink;
  readonly state: LocalAccountState;
  readonly groups: readonly string[];
}

/** A change by an operator. */
interface AccountChange {
  readonly provider: string;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface AddAccounts extends AccountChange {
  readonly accounts: readonly NewLocalAccount[];
  /** Whether they also get the role admin. */
  readonly admin: boolean;
  /** `imported`: one audit row for all, names that have an account already are left out if `skip`. */
  readonly as: "added" | { readonly format: string; readonly skip: boolean };
  /** Finds out what would be refused, and changes nothing. */
  readonly dryRun?: boolean;
}

/**
 * Why an account cannot have a name. `exists`: an account has it, or a spelling of it. `removed`: an account that was removed had
 * it, and a new person would inherit its data. `other_spelling`: an identity of the database has another spelling of it.
 */
export interface RefusedAccount {
  /** Its place in the request's list. */
  readonly index: number;
  readonly reason: "exists" | "removed" | "other_spelling";
  readonly known: string;
}

/** `refused`: nothing was changed. */
export type AddedAccounts =
  | { readonly kind: "added"; readonly added: number; readonly skipped: readonly number[] }
  | { readonly kind: "refused"; readonly refused: readonly RefusedAccount[] };

export interface SetAccount extends AccountChange {
  readonly name: string;
  /** Absent: as before. */
  readonly email?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  /** Lets a disabled account log in. */
  readonly enable?: boolean | undefined;
}

export interface RenameAccount extends AccountChange {
  readonly name: string;
  readonly to: string;
}

export interface SetPassword extends AccountChange {
  readonly name: string;
  /** The hash. */
  readonly password: string;
}

export interface RemoveAccount extends AccountChange {
  readonly name: string;
}

export interface LinkAccount extends AccountChange {
  readonly name: string;
  readonly purpose: LinkPurpose;
  readonly link: NewLink;
  /** Deletes the password and ends all sessions at once. */
  readonly endNow: boolean;
}

/** `has_password`: an invitation is for an account without one. */
export type LinkOutcome =
  | { readonly kind: "linked"; readonly sessions: number }
  | { readonly kind: "unknown" | "has_password" | "no_password" | "disabled" };

export interface UseLink {
  readonly digest: Digest;
  /** The hash. */
  readonly password: string;
  /** Deletes all API keys of the person, too. */
  readonly revokeKeys: boolean;
  readonly now: Date;
  readonly context: RequestContext;
}

/** `gone`: used, replaced, expired or unknown, or the account is disabled or removed. */
export type UsedLink =
  | { readonly kind: "gone" }
  | {
      readonly kind: "used";
      readonly provider: string;
      readonly name: string;
      readonly groups: readonly string[];
      /** Null before the first login. */
      readonly principal: Uuid | null;
      readonly sessions: readonly Uuid[];
      readonly keys: readonly { readonly firstEight: string; readonly digest: Digest }[];
    };

/** `taken`: the new name, or a spelling of it, has or had an account or an identity. */
export type RenamedAccount =
  | { readonly kind: "renamed"; readonly from: string; readonly sessions: number }
  | { readonly kind: "unknown" }
  | { readonly kind: "taken"; readonly known: string };

export type RemovedAccount = { readonly kind: "removed" | "unknown" | "last_admin" };

export interface LocalAccountStore {
  /** `name`: any spelling. */
  find(provider: string, name: string): Promise<LocalAccount | undefined>;
  /** The hash of one of the provider's accounts, always the same for one `number` (0 to 1) while accounts are unchanged. */
  sample(provider: string, number: number): Promise<string | undefined>;
  /** Whether a hash of any account begins so. */
  hasHash(provider: string, prefix: string): Promise<boolean>;
  list(provider: string): Promise<readonly ListedAccount[]>;
  /** Audit: account_added or account_invited each, or accounts_imported; role_granted. */
  add(request: AddAccounts): Promise<AddedAccounts>;
  /** Replaces a hash by another of the same password. Nothing happens if the password was changed meanwhile. */
  rehash(account: number, from: string, to: string, now: Date): Promise<void>;
  set(request: SetAccount): Promise<{ readonly kind: "done" | "unknown" }>;
  /** Ends all sessions. Audit: password_reset, session_revoked each. */
  setPassword(
    request: SetPassword,
  ): Promise<{ readonly kind: "done"; readonly sessions: number } | { readonly kind: "unknown" }>;
  /** Makes a link, which replaces earlier ones of the account. Audit: account_invited or password_reset, session_revoked each. */
  link(request: LinkAccount): Promise<LinkOutcome>;
  /** Undefined as for `gone`. Changes nothing. */
  findLink(digest: Digest, now: Date): Promise<LinkedAccount | undefined>;
  /** Sets the password and ends all sessions. Audit: password_changed, session_revoked and api_key_revoked each. */
  useLink(request: UseLink): Promise<UsedLink>;
  /** Keeps principal, keys and data, and ends all sessions. Audit: account_renamed, session_revoked each. */
  rename(request: RenameAccount): Promise<RenamedAccount>;
  /** Disables the principal. The name stays reserved if it ever was an identity. Audit: account_removed, principal_disabled. */
  remove(request: RemoveAccount): Promise<RemovedAccount>;
}

/** One person is one name: spellings with the same key are the same account. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** Makes the hashes of new passwords by the rules of one provider. */
export interface NewPasswords {
  /** `names`: of the person and the site, which the password must not be. `source`: address block of the client. */
  hash(
    password: string,
    names: readonly string[],
    source: string,
  ): Promise<{ readonly hash: string } | { readonly broken: string }>;
}

/** The property by which the server knows an authenticator whose accounts it keeps itself. */
export const NEW_PASSWORDS: unique symbol = Symbol("new passwords");

export interface KeepsPasswords {
  readonly [NEW_PASSWORDS]?: NewPasswords;
}
