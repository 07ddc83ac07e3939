/** Addresses in URLs for people. */

/** The host to open in a browser for an address to listen on: a wildcard address becomes the loopback one. */
export function shownHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
