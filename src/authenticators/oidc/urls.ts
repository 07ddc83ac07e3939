/**
 * The URLs of a provider that may be called or used for redirects: `https://`, and `http://` on this machine if the configured
 * address is on this machine as well; else a remote document could name services here.
 */
import { OperatorError } from "../../errors.ts";
import { isLoopbackName } from "../../lib/address.ts";

export function isLoopback(url: URL): boolean {
  return isLoopbackName(url.hostname);
}

/** The problem with a URL of a provider; null if it may be used. */
export function urlProblem(text: unknown, loopback: boolean): string | null {
  if (typeof text !== "string") return "is not text";
  const url = URL.parse(text);
  if (url === null) return "is not an absolute URL";
  if (url.username !== "" || url.password !== "") return "has a user name in it";
  if (url.hash !== "") return "has a fragment";
  if (url.protocol === "https:") return null;
  if (url.protocol !== "http:") return `begins with ${url.protocol}, not https:`;
  if (!isLoopback(url))
    return "begins with http:, which is allowed only on this machine (localhost, 127.0.0.1, [::1])";
  return loopback
    ? null
    : "begins with http: and is on this machine, although the configured address is elsewhere";
}

/** A provider's URL in the configuration. */
export function configuredUrl(name: string, text: string): URL {
  const problem = urlProblem(text, true);
  if (problem !== null) throw new OperatorError(`args.${name} ${problem}.`);
  return new URL(text);
}

/** An application's address, to which a login redirects the browser. */
export function applicationUrl(name: string, text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new OperatorError(`args.${name} must be an absolute URL that begins with https:// or http://.`);
  }
  return text;
}

/** For logs: without the query, which may contain a secret, and the fragment. */
export function bare(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "an unreadable URL" : parsed.origin + parsed.pathname;
}
