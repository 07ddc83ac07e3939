/**
 * What a signed assertion must say to log a person in here and now (SAML Profiles, section 4.1.4.3): the issuer, an answer to
 * our request, for us, at this time. It reads the signed bytes only; the unsigned Response around them proves nothing.
 */
import type { Clock } from "../../lib/clock.ts";
import { quotedForLog, refuse } from "./refusals.ts";
import type { SamlSettings } from "./settings.ts";
import { idOf } from "./shape.ts";
import { ASSERTION, attributeOf, children, isNamed, onlyChild, parseXml, textOf } from "./xml.ts";

/** Milliseconds by which clocks may differ. */
const LEEWAY = 60_000;
/** The provider posts an assertion right after it made it. */
const MAX_AGE = 300_000;
const BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/** UTC (SAML Core, section 1.3.3). */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

export interface CheckedAssertion {
  readonly root: Element;
  readonly id: string;
  /** After this time, in milliseconds, the checks refuse it for its age. */
  readonly expires: number;
}

export function checkAssertion(
  signed: string,
  { idp, sp }: SamlSettings,
  requestId: string,
  clock: Clock,
): CheckedAssertion {
  const root = parseXml(signed);
  if (!isNamed(root, ASSERTION, "Assertion")) throw refuse("what is signed is no assertion");
  const version = attributeOf(root, "Version");
  if (version !== "2.0") throw refuse(`its version is ${quotedForLog(version)}`);
  const now = clock.now();
  checkIssuer(root, idp.entityId);
  const issued = timeOf(root, "IssueInstant");
  if (issued === null) throw refuse("its assertion has no IssueInstant");
  if (issued > now + LEEWAY) throw refuse(`it was issued in the future; ${CLOCKS}`);
  if (issued + MAX_AGE + LEEWAY <= now) throw refuse(`it is older than five minutes; ${CLOCKS}`);
  checkConditions(root, sp.entityId, now);
  checkSubject(root, { requestId, acsUrl: sp.acsUrl, now });
  checkStatements(root, now);
  return { root, id: idOf(root), expires: issued + MAX_AGE + LEEWAY };
}

const CLOCKS = "compare this machine's clock with the provider's";

function checkIssuer(root: Element, expected: string): void {
  const element = onlyChild(root, ASSERTION, "Issuer");
  const issuer = element === null ? null : textOf(element).trim();
  if (issuer === expected) return;
  throw refuse(
    `its issuer is ${quotedForLog(issuer)}, expected ${quotedForLog(expected)} (saml_settings.idp.entityId)`,
  );
}

function checkConditions(root: Element, audience: string, now: number): void {
  const conditions = onlyChild(root, ASSERTION, "Conditions");
  if (conditions === null) throw refuse("it has no Conditions, so no audience");
  checkTimes(conditions, now);
  const restrictions = children(conditions, ASSERTION, "AudienceRestriction");
  if (restrictions.length === 0) throw refuse("it has no AudienceRestriction");
  for (const restriction of restrictions) {
    const names = children(restriction, ASSERTION, "Audience").map((element) => textOf(element).trim());
    if (names.includes(audience)) continue;
    throw refuse(
      `its audience is ${quotedForLog(names.join(", "))}, expected ${quotedForLog(audience)} (saml_settings.sp.entityId)`,
    );
  }
}

interface Expected {
  readonly requestId: string;
  readonly acsUrl: string;
  readonly now: number;
}

/** One bearer confirmation has to fit; the reason of the last one that does not is told. */
function checkSubject(root: Element, expected: Expected): void {
  const subject = onlyChild(root, ASSERTION, "Subject");
  if (subject === null) throw refuse("it has no Subject");
  const bearers = children(subject, ASSERTION, "SubjectConfirmation").filter(
    (confirmation) => attributeOf(confirmation, "Method") === BEARER,
  );
  let why = "it has no bearer SubjectConfirmation";
  for (const bearer of bearers) {
    const data = onlyChild(bearer, ASSERTION, "SubjectConfirmationData");
    const problem =
      data === null ? "its SubjectConfirmation has no data" : confirmationProblem(data, expected);
    if (problem === null) return;
    why = problem;
  }
  throw refuse(why);
}

function confirmationProblem(data: Element, { requestId, acsUrl, now }: Expected): string | null {
  const inResponseTo = attributeOf(data, "InResponseTo");
  if (inResponseTo === null) {
    return "it answers no request of ours (no InResponseTo in its SubjectConfirmationData); logins cannot begin at the provider";
  }
  if (inResponseTo !== requestId) {
    return "it answers another request (InResponseTo of its SubjectConfirmationData)";
  }
  const recipient = attributeOf(data, "Recipient");
  if (recipient !== acsUrl) {
    return `its recipient is ${quotedForLog(recipient)}, expected ${quotedForLog(acsUrl)} (saml_settings.sp.assertionConsumerService.url)`;
  }
  if (attributeOf(data, "NotOnOrAfter") === null) return "its SubjectConfirmationData has no NotOnOrAfter";
  checkTimes(data, now);
  return null;
}

function checkStatements(root: Element, now: number): void {
  const [first, ...others] = children(root, ASSERTION, "AuthnStatement");
  if (first === undefined) throw refuse("it has no AuthnStatement: it proves no login");
  for (const statement of [first, ...others]) {
    const end = timeOf(statement, "SessionNotOnOrAfter");
    if (end !== null && end + LEEWAY <= now) throw refuse("the session at the provider is over");
  }
}

function checkTimes(element: Element, now: number): void {
  const from = timeOf(element, "NotBefore");
  const to = timeOf(element, "NotOnOrAfter");
  if (from !== null && from > now + LEEWAY) throw refuse(`it is not valid yet (NotBefore); ${CLOCKS}`);
  if (to !== null && to + LEEWAY <= now) throw refuse(`it has expired (NotOnOrAfter); ${CLOCKS}`);
}

function timeOf(element: Element, name: string): number | null {
  const text = attributeOf(element, name);
  if (text === null) return null;
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw refuse(`its ${name} is ${quotedForLog(text)}, not a time in UTC`);
  return time;
}
