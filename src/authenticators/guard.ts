/**
 * Wraps a password authenticator: an operator's class may throw or return anything, which must neither let a user in by mistake
 * nor cause an internal error.
 */

import type {
  AuthenticatedIdentity,
  PasswordAuthenticator,
  RefusedLogin,
} from "../domain/ports/authenticator.ts";
import { type KeepsPasswords, NEW_PASSWORDS } from "../domain/ports/local-accounts.ts";
import { Failure } from "../errors.ts";

export function guarded(authenticator: PasswordAuthenticator & KeepsPasswords): PasswordAuthenticator {
  const made = authenticator[NEW_PASSWORDS];
  return {
    kind: "password",
    ...(authenticator.caseSensitive === true && { caseSensitive: true }),
    confirmationMessage: authenticator.confirmationMessage,
    authenticate: (username, password, signal, source) =>
      checked(() => authenticator.authenticate(username, password, signal, source), signal),
    ...(typeof authenticator.explain === "function" && {
      explain: (username: string, password: string, report: (step: string) => void) =>
        checked(async () => authenticator.explain?.(username, password, report)),
    }),
    ...(typeof authenticator.problem === "function" && {
      problem: () => authenticator.problem?.() ?? null,
    }),
    ...(typeof authenticator.knows === "function" && {
      knows: (username: string) => authenticator.knows?.(username) === true,
    }),
    ...(typeof authenticator.check === "function" && { check: async () => authenticator.check?.() }),
    ...(typeof authenticator.contact === "function" && { contact: async () => authenticator.contact?.() }),
    ...(made !== undefined && { [NEW_PASSWORDS]: made }),
    start: async () => authenticator.start?.(),
    stop: async () => authenticator.stop?.(),
  };
}

async function checked(
  ask: () => Promise<unknown>,
  signal?: AbortSignal,
): Promise<AuthenticatedIdentity | RefusedLogin | null> {
  let answer: unknown;
  try {
    answer = await ask();
  } catch (error) {
    if (error instanceof Failure || signal?.aborted) throw error;
    const log = `The authenticator failed: ${error instanceof Error ? error.message : String(error)}`;
    throw new Failure("bad_gateway", { log, cause: error });
  }
  return refusal(answer) ?? identity(answer);
}

function refusal(answer: unknown): RefusedLogin | undefined {
  const { refused, log } = (answer ?? {}) as { readonly refused?: unknown; readonly log?: unknown };
  if (typeof refused !== "string") return undefined;
  return { refused: refused.slice(0, 100), ...(typeof log === "string" && { log }) };
}

function identity(answer: unknown): AuthenticatedIdentity | null {
  if (answer === null) return null;
  const { id, state } = (answer ?? {}) as { readonly id?: unknown; readonly state?: unknown };
  if (typeof id !== "string") throw broken("neither null nor an object with the 'id' of the user, a text");
  if (state === undefined) return { id };
  if (typeof state !== "object" || state === null || Array.isArray(state))
    throw broken("a 'state' that is not an object");
  return { id, state: state as Readonly<Record<string, unknown>> };
}

function broken(what: string): Failure {
  return new Failure("bad_gateway", { log: `The authenticator's authenticate() returned ${what}.` });
}
