/**
 * Which paths are this server's own: those of its routes, and all below `/api/v1/auth`. Everything else belongs to what
 * stands behind it, whatever a newer Tiled may have there.
 */
import type { FastifyInstance } from "fastify";

const AUTH = "/api/v1/auth";
/** An upstream below a prefix has these there too. */
const EVERYWHERE: ReadonlySet<string> = new Set(["/api/v1", "/api/v1/"]);

export class OwnPaths {
  readonly #exact = new Set<string>();
  /** Such a path and all below it. */
  readonly #below = new Set<string>([AUTH]);
  readonly #lowerExact = new Set<string>();
  readonly #lowerBelow = new Set<string>([AUTH]);
  #closed = false;

  /** From now on every route's path is our own, until `close`. */
  collect(app: FastifyInstance): void {
    app.addHook("onRoute", ({ url }) => {
      if (!this.#closed) this.#add(url);
    });
  }

  /** Such a path and all below it, whether or not it is a route's. */
  reserve(path: string): void {
    this.#below.add(path);
    this.#lowerBelow.add(path.toLowerCase());
  }

  close(): void {
    this.#closed = true;
  }

  #add(url: string): void {
    const variable = url.search(/[:*]/);
    if (variable < 0) {
      this.#exact.add(url);
      this.#lowerExact.add(url.toLowerCase());
      return;
    }
    const start = url.slice(0, url.lastIndexOf("/", variable));
    this.#below.add(start);
    this.#lowerBelow.add(start.toLowerCase());
  }

  /** `prefixed`: below an upstream's prefix. */
  has(path: string, prefixed: boolean): boolean {
    if (prefixed) return EVERYWHERE.has(path) || isBelow(path, AUTH);
    return this.#exact.has(path) || anyAbove(path, this.#below);
  }

  /** The same for a path in lower case, as a server might read it that does not tell cases apart. */
  hasLower(path: string, prefixed: boolean): boolean {
    if (prefixed) return this.has(path, true);
    return this.#lowerExact.has(path) || anyAbove(path, this.#lowerBelow);
  }
}

function isBelow(path: string, start: string): boolean {
  return path.startsWith(start) && (path.length === start.length || path.charCodeAt(start.length) === SLASH);
}

const SLASH = 47;

function anyAbove(path: string, starts: ReadonlySet<string>): boolean {
  for (const start of starts) if (isBelow(path, start)) return true;
  return false;
}
