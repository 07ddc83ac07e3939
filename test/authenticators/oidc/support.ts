/**
 * An authenticator of ours, started, and the provider that it logs in at, on one clock that stands still.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { OidcArgs } from "../../../src/authenticators/oidc/args.ts";
import { OIDCAuthenticator } from "../../../src/authenticators/oidc/authenticator.ts";
import type { OidcOptions } from "../../../src/authenticators/oidc/options.ts";
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  AuthorizationRequest,
  ProviderLogin,
} from "../../../src/domain/ports/authenticator.ts";
import { Failure, type FailureCode } from "../../../src/errors.ts";
import { ManualClock } from "../../support/clock.ts";
import type { Cleanup } from "../../support/folders.ts";
import { CLIENT_ID, CLIENT_SECRET, HostileProvider } from "../../support/hostile-provider.ts";

/** The client's credentials at the hostile provider. */
export const CLIENT = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET };

/** Short enough for tests of silence, long enough for a busy machine. */
export const DEADLINE = 400;

/**
 * Nothing is done in the background but what a test asks for.
 * @public - The declarations of other files name it.
 */
export class ManualSchedule {
  readonly pauses: number[] = [];
  #run: (() => void) | undefined;

  readonly schedule: OidcOptions["schedule"] = (milliseconds, run) => {
    this.pauses.push(milliseconds);
    this.#run = run;
    return () => {
      if (this.#run === run) this.#run = undefined;
    };
  };

  get waiting(): boolean {
    return this.#run !== undefined;
  }

  run(): void {
    const run = this.#run;
    this.#run = undefined;
    run?.();
  }
}

export interface Surroundings {
  readonly clock: ManualClock;
  readonly schedule: ManualSchedule;
  readonly warnings: string[];
  readonly context: AuthenticatorContext;
  readonly options: OidcOptions;
}

export function surroundings(given: Partial<OidcOptions> = {}): Surroundings {
  const clock = new ManualClock();
  const schedule = new ManualSchedule();
  const warnings: string[] = [];
  const context = {
    provider: "lab",
    directory: "/",
    warn: (message: string) => {
      warnings.push(message);
    },
  };
  const options = { clock, fetch, deadline: 10_000, schedule: schedule.schedule, ...given };
  return { clock, schedule, warnings, context, options };
}

export interface Setup extends Surroundings {
  readonly provider: HostileProvider;
  readonly authenticator: OIDCAuthenticator;
}

export async function setUp(
  cleanup: Cleanup,
  args: Partial<OidcArgs> = {},
  given: Partial<OidcOptions> & { readonly alg?: string } = {},
): Promise<Setup> {
  const around = surroundings(given);
  const { alg } = given;
  const provider = await HostileProvider.start(cleanup, {
    clock: around.clock,
    ...(alg === undefined ? {} : { alg }),
  });
  const authenticator = new OIDCAuthenticator(
    { ...CLIENT, well_known_uri: provider.wellKnown, ...args },
    around.context,
    around.options,
  );
  await authenticator.start();
  cleanup(() => authenticator.stop());
  return { ...around, provider, authenticator };
}

export function newRequest(): AuthorizationRequest {
  const random = () => randomBytes(32).toString("base64url");
  return {
    redirectUri: "http://127.0.0.1:8000/api/v1/auth/provider/lab/code",
    state: random(),
    nonce: random(),
    codeVerifier: random(),
  };
}

/** A whole login by a browser that does what it is told. */
export async function login(
  authenticator: ProviderLogin,
  provider: HostileProvider,
  request = newRequest(),
): Promise<AuthenticatedIdentity> {
  const callback = await provider.visit(await authenticator.begin(request));
  return authenticator.finish({ ...request, callback });
}

/** The failure that something ends with. */
export async function failure(result: Promise<unknown> | (() => unknown)): Promise<Failure> {
  const attempt = typeof result === "function" ? (async () => result())() : result;
  const error = await attempt.then(
    (value) => assert.fail(`it succeeded: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  return error;
}

export async function fails(
  result: Promise<unknown> | (() => unknown),
  code: FailureCode,
  log: RegExp,
): Promise<void> {
  const { code: found, message } = await failure(result);
  assert.deepEqual({ code: found, message }, { code, message });
  assert.match(message, log);
}
