/**
 * Logs in the accounts of this server's own database (`tiled_auth:LocalAuthenticator`). An unknown name costs the same statements
 * and one hash, of the kind and cost that another account has, so that neither answers nor work reveal which names there are.
 */
import { createHmac } from "node:crypto";
import type { Static } from "typebox";
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  PasswordAuthenticator,
} from "../../domain/ports/authenticator.ts";
import {
  type KeepsPasswords,
  type LocalAccount,
  type LocalAccountStore,
  NEW_PASSWORDS,
  type NewPasswords,
  nameKey,
} from "../../domain/ports/local-accounts.ts";
import { Failure, OperatorError } from "../../errors.ts";
import { type Asker, type PasswordHasher, shared } from "../passwords/hasher.ts";
import { brokenRule, LONGEST_PASSWORD, readBlocklist } from "../passwords/policy.ts";
import { readHash } from "../passwords/stored.ts";
import { ARGS, type LocalSettings, settingsOf } from "./settings.ts";

/** What the server gives to its own authenticators. */
export interface OwnAccounts {
  /** Open from the start of the authenticators on. */
  readonly accounts: () => LocalAccountStore;
  /** Secret, and the same after a restart if `secret_keys` is. */
  readonly key: Uint8Array;
}

type LocalContext = AuthenticatorContext & { readonly own?: OwnAccounts | undefined };

export class LocalAuthenticator implements PasswordAuthenticator, KeepsPasswords {
  static readonly args = ARGS;
  readonly kind = "password";
  readonly confirmationMessage: string;
  readonly [NEW_PASSWORDS]: NewPasswords = {
    hash: (password, names, source) => this.#new(password, names, source),
  };
  readonly #settings: LocalSettings;
  readonly #context: LocalContext;
  readonly #hasher: PasswordHasher;
  #blocklist: ReadonlySet<string> = new Set();

  constructor(args: Static<typeof ARGS>, context: LocalContext, hasher: PasswordHasher = shared()) {
    this.#settings = settingsOf(args);
    this.confirmationMessage = this.#settings.confirmationMessage;
    this.#context = context;
    this.#hasher = hasher;
  }

  async authenticate(
    username: string,
    password: string,
    signal?: AbortSignal,
    source = "",
  ): Promise<AuthenticatedIdentity | null> {
    const { provider } = this.#context;
    if (!isPossible(username) || !isPossible(password)) return null;
    if ([...password].length > LONGEST_PASSWORD) return null;
    const { accounts, key } = this.#own();
    const digest = createHmac("sha256", key).update(nameKey(username)).digest();
    // Both in any case, so that an unknown name runs the same statements as a known one.
    const [account, decoy] = await Promise.all([
      accounts().find(provider, username),
      accounts().sample(provider, digest.readUInt32BE(0) / 2 ** 32),
    ]);
    const asker = { source, signal };
    if (account === undefined || account.password === null) return this.#checkDecoy(password, decoy, asker);
    const { right, outdated } = await this.#check(password, account.password, asker);
    if (!right || account.state !== "active") return null;
    if (outdated) await this.#renew(account.id, account.password, password, asker);
    return identityOf(account);
  }

  async check(): Promise<void> {
    await readBlocklist(this.#settings.rules, this.#context.directory);
  }

  async start(): Promise<void> {
    const { provider, directory, warn } = this.#context;
    this.#blocklist = await readBlocklist(this.#settings.rules, directory);
    const accounts = this.#own().accounts();
    if (!this.#hasher.hasArgon2) {
      for (const prefix of ["$argon2id$", "$sha1+argon2id$"]) {
        if (!(await accounts.hasHash(provider, prefix))) continue;
        throw new OperatorError(
          "The database has passwords hashed with argon2id, which this Node cannot check. Use Node 24.7 or newer.",
        );
      }
      warn(
        "this Node has no argon2id, so passwords are hashed with scrypt, which is slower. Use Node 24.7 or newer.",
      );
    }
    if ((await accounts.sample(provider, 0)) === undefined)
      warn(`no account has a password yet. Add one: tiled admin user add NAME --provider ${provider}`);
  }

  async #new(password: string, names: readonly string[], source: string) {
    const { rules, cost } = this.#settings;
    const all = ["tiled", this.#context.provider, ...names];
    const broken = await brokenRule(password, all, rules, this.#blocklist);
    return broken === undefined ? { hash: await this.#hasher.hash(password, cost, { source }) } : { broken };
  }

  #own(): OwnAccounts {
    const { own } = this.#context;
    if (own === undefined) throw new OperatorError("LocalAuthenticator needs the server's database.");
    return own;
  }

  async #check(password: string, stored: string, asker: Asker) {
    if (readHash(stored) === undefined)
      throw new Failure("bad_gateway", { log: "The hash of an account's password has an unknown form." });
    return this.#hasher.check(password, stored, this.#settings.cost, asker);
  }

  async #checkDecoy(password: string, decoy: string | undefined, asker: Asker): Promise<null> {
    if (decoy === undefined || readHash(decoy) === undefined)
      await this.#hasher.checkNothing(this.#settings.cost, asker);
    else await this.#hasher.check(password, decoy, this.#settings.cost, asker);
    return null;
  }

  /** A login does not fail because its hash could not be renewed. */
  async #renew(id: number, from: string, password: string, asker: Asker): Promise<void> {
    try {
      const to = await this.#hasher.hash(password, this.#settings.cost, asker);
      await this.#own().accounts().rehash(id, from, to, new Date());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#context.warn(`the hash of a password could not be renewed (${why}). The next login tries again.`);
    }
  }
}

function isPossible(text: string): boolean {
  return text !== "" && !text.includes("\0") && text.isWellFormed();
}

function identityOf({ name, groups }: LocalAccount): AuthenticatedIdentity {
  return { id: name, state: { groups } };
}
