/** Hosts in URLs: the one that people open, and whether one is this machine. */

/** The host to open in a browser for an address to listen on: a wildcard address becomes the loopback one. */
export function shownHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Whether the host name of a URL, as its parser writes it, is this machine's own. */
export function isLoopbackName(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}
