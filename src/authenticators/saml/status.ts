/** The status of an answer (SAML Core, section 3.2.2). It is not signed, so it can only refuse a login. */
import { Failure } from "../../errors.ts";
import { quotedForLog, refuse } from "./refusals.ts";
import { attributeOf, onlyChild, PROTOCOL, textOf } from "./xml.ts";

const PREFIX = "urn:oasis:names:tc:SAML:2.0:status:";

/** Null for a success. */
export function statusProblem(response: Element): Failure | null {
  const status = onlyChild(response, PROTOCOL, "Status");
  const code = status && onlyChild(status, PROTOCOL, "StatusCode");
  if (status === null || code === null) return refuse("it has no status");
  const value = attributeOf(code, "Value");
  if (value === `${PREFIX}Success`) return null;
  const below = onlyChild(code, PROTOCOL, "StatusCode");
  const message = onlyChild(status, PROTOCOL, "StatusMessage");
  const told = [value, below && attributeOf(below, "Value")].map((text) => short(text ?? null));
  const words = message === null ? "" : `, ${quotedForLog(textOf(message))}`;
  return new Failure("login_refused", {
    log: `The SAML provider refused the login: ${told.filter((text) => text !== "").join(", ")}${words}.`,
  });
}

function short(value: string | null): string {
  return value === null ? "" : quotedForLog(value.startsWith(PREFIX) ? value.slice(PREFIX.length) : value);
}
