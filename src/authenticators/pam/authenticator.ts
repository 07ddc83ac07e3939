/**
 * Logs in the accounts of this machine through PAM (`tiled.authenticators:PAMAuthenticator`). The processes that call libpam
 * are in `pool.ts`. An expired or locked account, or one whose password must be changed, is refused like a wrong password.
 */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Static, Type } from "typebox";
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  PasswordAuthenticator,
} from "../../domain/ports/authenticator.ts";
import { Failure, OperatorError } from "../../errors.ts";
import { isRefusal, PAM_SUCCESS } from "./codes.ts";
import type { PamRequest } from "./helper.ts";
import { HelperPool, type PoolLimits } from "./pool.ts";
import { startHelper } from "./process.ts";
import { PAM_PLACES, serviceProblem } from "./service.ts";

const ARGS = Type.Object(
  {
    service: Type.Optional(
      Type.String({ minLength: 1, default: "login", description: "The PAM service: a file in /etc/pam.d" }),
    ),
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the user name" }),
    ),
  },
  { additionalProperties: false },
);

export interface PamOptions {
  readonly limits: PoolLimits;
  readonly places: typeof PAM_PLACES;
  /** The file with the hashes of local passwords. */
  readonly shadow: string;
  readonly platform: NodeJS.Platform;
  readonly startHelper: typeof startHelper;
  /** Resolves after the given milliseconds, rejects when `signal` is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const DEFAULTS: PamOptions = {
  limits: { helpers: 8, perSource: 6, queue: 64, queueSeconds: 10, loginSeconds: 30, idleSeconds: 60 },
  places: PAM_PLACES,
  shadow: "/etc/shadow",
  platform: process.platform,
  startHelper,
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

/** PAM's limit for an answer, NUL included. Some modules cut longer ones. */
const MAX_PASSWORD_BYTES = 512;
const MAX_NAME = 255;
/** Minimum milliseconds of a refusal, so that an unknown user takes as long as a wrong password. */
const MIN_REFUSAL = 500;

export class PAMAuthenticator implements PasswordAuthenticator {
  static readonly args = ARGS;
  readonly kind = "password";
  readonly confirmationMessage: string;
  readonly #service: string;
  readonly #context: AuthenticatorContext;
  readonly #options: PamOptions;
  readonly #pool: HelperPool;
  readonly #stopping = new AbortController();

  constructor(args: Static<typeof ARGS>, context: AuthenticatorContext, options: Partial<PamOptions> = {}) {
    this.#service = args.service ?? "login";
    this.confirmationMessage = args.confirmation_message ?? "";
    this.#context = context;
    this.#options = { ...DEFAULTS, ...options };
    this.#pool = new HelperPool(this.#options.startHelper, this.#options.limits);
  }

  async authenticate(
    username: string,
    password: string,
    signal?: AbortSignal,
    source?: string,
  ): Promise<AuthenticatedIdentity | null> {
    const name = cString(username);
    const secret = cString(password);
    if (name === undefined || secret === undefined) return null;
    if ([...username].length > MAX_NAME || secret.length > MAX_PASSWORD_BYTES) return null;
    const request: PamRequest = { kind: "login", service: this.#service, username: name, password: secret };
    try {
      const reply = await this.#pool.run(request, signal, source);
      if (reply.kind === "broken") throw broken(`PAM cannot be used: ${reply.reason}`);
      const { code, text, asked, delay } = reply.outcome;
      if (code === PAM_SUCCESS && asked) return { id: reply.outcome.user ?? username };
      if (code === PAM_SUCCESS) {
        throw broken(
          `The PAM service "${this.#service}" lets users in without asking for a password. Name a service that asks.`,
        );
      }
      if (!isRefusal(code)) throw broken(`The PAM service "${this.#service}" is broken: ${text} (${code}).`);
      await this.#delayRefusal(Math.max(delay, MIN_REFUSAL) - reply.elapsed, signal);
      return null;
    } finally {
      secret.fill(0);
    }
  }

  async start(): Promise<void> {
    const { platform, places, shadow } = this.#options;
    if (platform !== "linux") {
      throw new OperatorError(`PAMAuthenticator works on Linux only; this machine runs ${platform}.`);
    }
    const problem = await serviceProblem(this.#service, places);
    if (problem !== undefined) throw new OperatorError(`args.service: "${this.#service}": ${problem}`);
    const reply = await this.#pool.run({ kind: "probe", service: this.#service });
    if (reply.kind === "broken") {
      throw new OperatorError(
        `libpam cannot be used on this machine: ${reply.reason}. PAMAuthenticator needs libpam.so.0 ` +
          "(Debian, Ubuntu: package libpam0g; Fedora: pam-libs; Alpine: linux-pam).",
      );
    }
    const { code, text } = reply.outcome;
    if (code !== PAM_SUCCESS) {
      throw new OperatorError(`The PAM service "${this.#service}" cannot be opened: ${text} (${code}).`);
    }
    await access(shadow, constants.R_OK).catch(() =>
      this.#context.warn(
        `the server may not read ${shadow}, so PAM's pam_unix module cannot check the passwords of local accounts. ` +
          "Run it as root or in the group that owns that file, unless the service uses other modules.",
      ),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pool.stop();
  }

  /** The delay that PAM wants after a failure. The helper is free meanwhile. */
  async #delayRefusal(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    if (milliseconds <= 0) return;
    const stopping = this.#stopping.signal;
    const either = signal === undefined ? stopping : AbortSignal.any([signal, stopping]);
    await this.#options.sleep(milliseconds, either).catch((error: unknown) => {
      if (!either.aborted) throw error;
    });
  }
}

function broken(log: string): Failure {
  return new Failure("bad_gateway", { log });
}

/** UTF-8 with a NUL at the end. Undefined for text that is empty, contains a NUL, or cannot be encoded in UTF-8. */
function cString(text: string): Buffer | undefined {
  if (text === "" || text.includes("\0") || !text.isWellFormed()) return undefined;
  return Buffer.from(`${text}\0`);
}
