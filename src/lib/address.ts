/** Addresses as a person opens them. */

/** All addresses are no address to go to: the machine's own is one that works here. */
export function shownHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
