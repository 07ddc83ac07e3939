/** Header fields that tell a service behind this server who is calling: the same from the gateway and from `auth/verify.ts`. */
import type { UpstreamCredentials } from "../../domain/tokens/upstream-credentials.ts";

type Fields = Readonly<Record<string, string>>;

/** Credentials are used for most of their lifetime, and encoding a name for a header takes time. */
const FIELDS = new WeakMap<UpstreamCredentials, Fields>();

/** Always all of them, empty if unknown: a proxy that copies them overwrites forged ones. */
export function identityHeaders(credentials: UpstreamCredentials): Fields {
  const known = FIELDS.get(credentials);
  if (known !== undefined) return known;
  const fields = {
    "x-tiled-principal": credentials.principal,
    "x-tiled-identity": headerText(credentials.identity),
    "x-tiled-scopes": credentials.scopes,
  };
  FIELDS.set(credentials, fields);
  return fields;
}

/** Names and values in turn, without empty ones. */
export function identityFields({ principal, identity, scopes }: UpstreamCredentials): string[] {
  const fields: string[] = [];
  if (principal !== "") fields.push("x-tiled-principal", principal);
  if (identity !== "") fields.push("x-tiled-identity", headerText(identity));
  if (scopes !== "") fields.push("x-tiled-scopes", scopes);
  return fields;
}

/** Names can be in any script. Characters that a header cannot hold are percent-encoded, and so is `%` itself. */
function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]|%/gu, encodeURIComponent);
}
