/**
 * Content of a server behind this one shares our origin, so its scripts could use the login of the person who opens it. Such
 * answers are sandboxed (HTML, section 7.3, "sandboxing"; CSP 3, section 6.3.2) unless the operator trusts the page.
 */
import type { Destination } from "./mounts.ts";

/** Scripts run in an opaque origin, without our cookies and storage. */
export const SANDBOX = "sandbox allow-scripts";

/** Tiled's web interface with its assets, and its documentation. */
export const TILED_PAGES: readonly string[] = [
  "/ui",
  "/static",
  "/favicon.ico",
  "/tiled-ui-settings",
  "/docs",
];

type Passed = Extract<Destination, { readonly readings: unknown }>;

/**
 * Whether a path is below one of these pages in every reading. `pages` are paths below the upstream's prefix; "" stands for
 * all of them.
 */
export function isBelow({ raw, readings, upstream }: Passed, pages: readonly string[]): boolean {
  return pages.some((page) => {
    const start = upstream.prefix + page;
    if (!isUnder(raw, start) || !isUnder(readings.normal, start)) return false;
    const lower = start.toLowerCase();
    return readings.all.every((reading) => isUnder(reading, lower));
  });
}

function isUnder(path: string, start: string): boolean {
  return path.startsWith(start) && (path.length === start.length || path.charCodeAt(start.length) === 47);
}

/** One type by RFC 9110, section 8.3.1. Browsers interpret anything else as they like. */
const ONE_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[ \t]*(?:;[^,]*)?$/;
/** Types of documents, or of parts, that may contain scripts. */
const ACTIVE = /html|xml|svg|xsl|^multipart\/|^message\//;

/** `types`: the values of all `Content-Type` fields. */
export function mayRunScript(types: readonly string[]): boolean {
  const [type, ...more] = types;
  if (type === undefined || more.length > 0 || !ONE_TYPE.test(type.trim())) return true;
  return ACTIVE.test(type.split(";", 1)[0]?.toLowerCase() ?? "");
}
