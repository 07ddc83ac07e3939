/**
 * Where a login may lead: to a page of this server, or to a host that the operator names (`server.verify_hosts`). Any other
 * address is ignored, so that our login is no open redirector (RFC 9700, section 4.11).
 */
export interface NextRules {
  /** The server's root as the browser sees it. */
  readonly base: string;
  /** `data.example.org`, `data.example.org:8443`. */
  readonly hosts: readonly string[];
}

const LONGEST = 2048;
/** Some browsers drop characters outside printable ASCII, and read a backslash as a slash. */
const STRANGE = /[^!-~]|\\/;
const ABSOLUTE = /^https?:\/\/[^/]/i;
const PATH = /^\/(?!\/|%2f|%5c)/i;

export function readNext(text: string | null | undefined, { base, hosts }: NextRules): URL | null {
  if (text === null || text === undefined || text.length > LONGEST || STRANGE.test(text)) return null;
  if (!ABSOLUTE.test(text) && !PATH.test(text)) return null;
  const own = new URL(base);
  const url = URL.parse(text, own.origin);
  if (url === null || url.username !== "" || url.password !== "" || url.pathname.startsWith("//"))
    return null;
  if (url.origin === own.origin) return isBelow(url.pathname, own.pathname) ? url : null;
  if (own.protocol === "https:" && url.protocol !== "https:") return null;
  return hosts.some((host) => URL.parse(`${url.protocol}//${host}`)?.host === url.host) ? url : null;
}

function isBelow(path: string, root: string): boolean {
  const prefix = root.replace(/\/$/, "");
  return path === prefix || path.startsWith(`${prefix}/`);
}
