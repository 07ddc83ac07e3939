/**
 * Logs people in at an LDAP directory (`tiled.authenticators:LDAPAuthenticator`). What a login does is in `login.ts`; here are
 * its guards: the name's rule, the password's form, how many run at once, and the directory's state.
 */
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  PasswordAuthenticator,
  RefusedLogin,
} from "../../domain/ports/authenticator.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { ARGS, type Args } from "./args.ts";
import type { Connection } from "./connection.ts";
import { Directory } from "./directory.ts";
import { isUnusable, normalizeName, preparePassword } from "./escape.ts";
import { logIn } from "./login.ts";
import { isLoopback } from "./servers.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { type TurnLimits, Turns } from "./turns.ts";

export interface LdapOptions {
  readonly clock: Clock;
  readonly turns: TurnLimits;
  /** Milliseconds between two looks at a directory that failed. */
  readonly probeInterval: number;
}

const DEFAULTS: LdapOptions = {
  clock: systemClock,
  turns: { logins: 16, perSource: 12, queue: 64, queueSeconds: 10 },
  probeInterval: 30_000,
};

const MAX_NAME = 255;
const MAX_PASSWORD = 4096;
const quiet = (): void => undefined;

export class LDAPAuthenticator implements PasswordAuthenticator {
  static readonly args = ARGS;
  readonly kind = "password";
  readonly confirmationMessage: string;
  readonly #settings: Settings;
  readonly #directory: Directory;
  readonly #context: AuthenticatorContext;
  readonly #turns: Turns;
  readonly #options: LdapOptions;
  readonly #escapesUserDn: boolean;
  #probing: NodeJS.Timeout | undefined;

  constructor(args: Args, context: AuthenticatorContext, options: Partial<LdapOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
    this.#settings = settingsOf(args);
    this.#context = context;
    this.#escapesUserDn = args.escape_userdn === true;
    this.confirmationMessage = args.confirmation_message ?? "";
    this.#turns = new Turns(this.#options.turns);
    this.#directory = new Directory({
      settings: this.#settings,
      folder: context.directory,
      clock: this.#options.clock,
      warn: (message) => context.warn(message),
    });
  }

  async authenticate(
    username: string,
    password: string,
    signal?: AbortSignal,
    source = "",
  ): Promise<AuthenticatedIdentity | RefusedLogin | null> {
    return await this.#logIn(username, password, quiet, signal, source);
  }

  async explain(
    username: string,
    password: string,
    report: (step: string) => void,
  ): Promise<AuthenticatedIdentity | RefusedLogin | null> {
    return await this.#logIn(username, password, report, undefined, "");
  }

  async #logIn(
    typed: string,
    password: string,
    report: (step: string) => void,
    signal: AbortSignal | undefined,
    source: string,
  ): Promise<AuthenticatedIdentity | RefusedLogin | null> {
    const username = this.#nameOf(typed);
    if (username === null) {
      report(
        "The user name has control characters, or does not match valid_username_regex. Nothing was sent.",
      );
      return null;
    }
    if (username !== typed) report(`The user name becomes ${JSON.stringify(username)}.`);
    const prepared = password.length > MAX_PASSWORD ? null : preparePassword(password);
    if (prepared === null) {
      report("The password is empty, too long, or has control characters. Nothing was sent.");
      return null;
    }
    const outcome = await this.#turns.run(source, signal, () =>
      this.#directory.use(
        (connection) => logIn({ ...this.#parts(connection, report) }, username, prepared),
        report,
        signal,
      ),
    );
    if (outcome.kind === "in") return outcome.identity;
    return { refused: outcome.refusal.code, log: outcome.refusal.text };
  }

  /** Null: not a name of this directory. */
  #nameOf(typed: string): string | null {
    if (isUnusable(typed)) return null;
    const name = this.#settings.normalize ? normalizeName(typed) : typed;
    return name !== "" && [...name].length <= MAX_NAME && this.#settings.nameRule.test(name) ? name : null;
  }

  problem(): string | null {
    return this.#directory.problem();
  }

  async check(): Promise<void> {
    await this.#directory.prepare();
  }

  /** Connects, and binds as the search user. */
  async contact(): Promise<void> {
    const { searchUser } = this.#settings;
    await this.#directory.use(async (connection) => {
      if (searchUser !== null) await connection.bindSearchUser(searchUser.dn, searchUser.password);
    }, quiet);
  }

  /** Does not wait for the directory: one that is down for a moment must not keep the server down. */
  async start(): Promise<void> {
    await this.#directory.prepare();
    this.#warnOfWeakness();
    void this.#probe();
  }

  async stop(): Promise<void> {
    clearInterval(this.#probing);
    this.#turns.stop();
  }

  #parts(connection: Connection, report: (step: string) => void) {
    return {
      connection,
      settings: this.#settings,
      warn: (message: string) => this.#context.warn(message),
      report,
    };
  }

  #warnOfWeakness(): void {
    const { servers, startTls, tlsVerify } = this.#settings;
    const plain = servers.filter(({ secure, host }) => !secure && !startTls && !isLoopback(host));
    for (const { name } of plain) {
      this.#context.warn(`passwords travel to ${name} in plain text. Set use_tls or use_ssl to true.`);
    }
    if (!tlsVerify && (startTls || servers.some(({ secure }) => secure))) {
      this.#context.warn(
        "tls_verify is false, so anyone between this server and the directory can read passwords. Name the directory's authority in tls_ca_file.",
      );
    }
    if (this.#escapesUserDn) {
      this.#context.warn("escape_userdn has no effect: DNs are always escaped as DNs.");
    }
  }

  /** Repeated while the directory fails. */
  async #probe(): Promise<void> {
    const look = (): Promise<void> => this.contact().catch(quiet);
    this.#probing = setInterval(() => {
      if (this.#directory.problem() !== null) void look();
    }, this.#options.probeInterval).unref();
    await look();
  }
}
