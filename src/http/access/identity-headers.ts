/** Header fields that tell a service behind this one who asks: the same from the gateway as from `auth/verify.ts`. */
import type { UpstreamCredentials } from "../../domain/tokens/upstream-credentials.ts";

/** All of them always, empty where there is nothing: a proxy that copies them overwrites forged ones. */
export function introductionHeaders(introduction: UpstreamCredentials): Record<string, string> {
  return {
    "x-tiled-principal": introduction.principal,
    "x-tiled-identity": headerText(introduction.identity),
    "x-tiled-scopes": introduction.scopes,
  };
}

/** Names may be of any script; what a header cannot hold is percent-encoded, and so is `%` itself. */
function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]|%/gu, encodeURIComponent);
}
