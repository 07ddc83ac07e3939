/**
 * What the tests of PAM share: authenticators that do not wait, and are stopped when the tests are over.
 */
import assert from "node:assert/strict";
import { after } from "node:test";
import { PAMAuthenticator, type PamOptions } from "../../../src/authenticators/pam/authenticator.ts";
import { Failure, type FailureCode, OperatorError } from "../../../src/errors.ts";

export const WIDE = {
  helpers: 4,
  perSource: 4,
  queue: 1000,
  queueSeconds: 60,
  loginSeconds: 30,
  idleSeconds: 60,
};
export const warnings: string[] = [];
const made: PAMAuthenticator[] = [];

export function make(service: string, options: Partial<PamOptions> = {}): PAMAuthenticator {
  const context = { provider: "machine", directory: "/", warn: (text: string) => void warnings.push(text) };
  const authenticator = new PAMAuthenticator({ service }, context, {
    limits: WIDE,
    sleep: async () => undefined,
    ...options,
  });
  made.push(authenticator);
  return authenticator;
}
after(() => Promise.all(made.map((authenticator) => authenticator.stop())));

export async function fails(login: Promise<unknown>, code: FailureCode, log: RegExp): Promise<void> {
  await assert.rejects(login, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, log);
    return true;
  });
}

export async function startFails(authenticator: PAMAuthenticator, expected: RegExp): Promise<void> {
  await assert.rejects(authenticator.start(), (error) => {
    assert.ok(error instanceof OperatorError, String(error));
    assert.match(error.message, expected);
    return true;
  });
}
