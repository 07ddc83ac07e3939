/** An authenticator of ours on a clock that stands still, and answers to a request that it made. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { SAMLAuthenticator } from "../../../src/authenticators/saml/authenticator.ts";
import type { SamlArgs } from "../../../src/authenticators/saml/settings-schema.ts";
import { Failure, type FailureCode } from "../../../src/errors.ts";
import { ManualClock } from "../../support/clock.ts";
import {
  ATTRIBUTE,
  answerXml,
  encoded,
  requestIn,
  type Said,
  type Signing,
  settings,
} from "../../support/saml-idp.ts";

export const ACS = "https://tiled.example/api/v1/auth/provider/lab/code";

type Settings = SamlArgs["saml_settings"];

export function authenticator(
  change: (settings: Settings) => Settings = (same) => same,
  keepClaims: string[] = [],
) {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const context = {
    provider: "lab",
    directory: "/",
    keepClaims,
    warn: (message: string) => void warnings.push(message),
  };
  const args = { saml_settings: change(settings(ACS)), attribute_name: ATTRIBUTE };
  return { clock, warnings, ours: new SAMLAuthenticator(args, context, { clock }) };
}

/** A request, and what is needed to answer it. */
export async function begun(options: ReturnType<typeof authenticator> = authenticator()) {
  const { ours, clock } = options;
  const nonce = randomBytes(32).toString("base64url");
  const url = await ours.begin({ redirectUri: ACS, state: "state", nonce, codeVerifier: "" });
  const { id, xml } = requestIn(url);
  const said: Said = { acsUrl: ACS, requestId: id, now: clock.now() };
  const receive = (answer: string) => ours.receive({ answer, nonce });
  return {
    ...options,
    url,
    request: xml,
    said,
    receive,
    post: (document: string) => receive(encoded(document)),
    answer: (more: Partial<Said> = {}, signing: Signing = {}) =>
      receive(encoded(answerXml({ ...said, ...more }, signing))),
  };
}

export async function refused(
  promise: Promise<unknown>,
  log: RegExp,
  code: FailureCode = "provider_invalid",
) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, log);
    return true;
  });
}
