/**
 * The store's part for accounts that this server keeps itself. The rules of `store.ts` hold. A password is stored and returned
 * as its hash only; `authenticators/passwords` makes and checks hashes.
 */
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

export interface NewLocalAccount {
  readonly name: string;
  readonly email: string | null;
  readonly password: string;
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
  /** Audit: account_added each, or accounts_imported; role_granted. */
  add(request: AddAccounts): Promise<AddedAccounts>;
  /** Replaces a hash by another of the same password. Nothing happens if the password was changed meanwhile. */
  rehash(account: number, from: string, to: string, now: Date): Promise<void>;
  set(request: SetAccount): Promise<{ readonly kind: "done" | "unknown" }>;
  /** Ends all sessions. Audit: password_reset, session_revoked each. */
  setPassword(
    request: SetPassword,
  ): Promise<{ readonly kind: "done"; readonly sessions: number } | { readonly kind: "unknown" }>;
  /** Keeps principal, keys and data, and ends all sessions. Audit: account_renamed, session_revoked each. */
  rename(request: RenameAccount): Promise<RenamedAccount>;
  /** Disables the principal. The name stays reserved if it ever was an identity. Audit: account_removed, principal_disabled. */
  remove(request: RemoveAccount): Promise<RemovedAccount>;
}

/** One person is one name: spellings with the same key are the same account. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
