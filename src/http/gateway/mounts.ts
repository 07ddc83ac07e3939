/**
 * Decides by host name and path, before routing, whether a request is ours or belongs to a server behind this one. The
 * decision uses the decoded path; the path is passed on unchanged.
 */
import type { IncomingMessage } from "node:http";
import type { Upstream } from "../../domain/model/upstream.ts";
import type { AccountHost } from "../account-host.ts";
import type { MountPoint } from "../links.ts";
import type { Proxies } from "../proxies.ts";
import type { OwnPaths } from "./own-paths.ts";
import { type Readings, readingsOf } from "./target.ts";

/** `url`: the unchanged request target below root path and prefix. */
export type Destination =
  | { readonly kind: "ours"; readonly url: string; readonly upstream: Upstream | null }
  | {
      readonly kind: "refused";
      readonly url: string;
      readonly upstream: Upstream | null;
      readonly reason: string;
    }
  | {
      readonly kind: "page" | "data" | "socket";
      readonly url: string;
      readonly upstream: Upstream;
      /** Decoded. */
      readonly path: string;
      /** Unchanged, with the prefix. */
      readonly raw: string;
      readonly readings: Readings;
    };

export interface MountsOptions {
  readonly upstreams: readonly Upstream[];
  readonly rootPath: string;
  readonly own: OwnPaths;
  readonly proxies: Proxies;
  /** Its host has no upstreams. */
  readonly account?: AccountHost | null;
}

export class Mounts {
  readonly #options: MountsOptions;
  /** Longest prefix first. */
  readonly #upstreams: readonly Upstream[];
  readonly #hosts: ReadonlySet<string>;
  readonly #destinations = new WeakMap<IncomingMessage, Destination>();
  readonly #sockets = new WeakSet<IncomingMessage>();

  constructor(options: MountsOptions) {
    this.#options = options;
    this.#upstreams = options.upstreams.toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#hosts = new Set(options.upstreams.flatMap(({ host }) => host ?? []));
  }

  /** Whether everything that is not ours is passed on, under every host name. */
  get coverAll(): boolean {
    return this.#upstreams.some(({ prefix, host }) => prefix === "" && host === null);
  }

  /** Marks a request that asks for a WebSocket. */
  expectSocket(request: IncomingMessage): void {
    this.#sockets.add(request);
  }

  /** Decides, and returns the target for our router. */
  rewrite(request: IncomingMessage): string {
    const { url } = request;
    // Without upstreams everything is ours.
    if (this.#upstreams.length === 0 && this.#options.rootPath === "" && url?.startsWith("/")) return url;
    const destination = this.#decide(request);
    if (this.#upstreams.length > 0) this.#destinations.set(request, destination);
    return destination.url;
  }

  of(request: IncomingMessage): Destination | undefined {
    return this.#destinations.get(request);
  }

  /** A path below the root is not passed on. */
  isOurs(path: string): boolean {
    return this.#options.own.has(path, false);
  }

  /** For links. */
  place(request: IncomingMessage): MountPoint {
    const upstream = this.of(request)?.upstream ?? null;
    return { prefix: upstream?.prefix ?? "", ownHost: upstream !== null && upstream.host !== null };
  }

  #decide(request: IncomingMessage): Destination {
    const whole = request.url ?? "/";
    const origin = originForm(whole, request.headers.host);
    if (origin === undefined) {
      return {
        kind: "refused",
        url: whole,
        upstream: null,
        reason: "The URL and the Host header name different hosts.",
      };
    }
    const { rootPath } = this.#options;
    const url = below(origin, rootPath) ?? origin;
    const end = url.search(/[?#]/);
    const raw = end < 0 ? url : url.slice(0, end);
    const candidates = this.#candidates(request);
    if (candidates.length === 0 || !raw.startsWith("/")) return { kind: "ours", url, upstream: null };

    let reason: string | undefined;
    const readings = readingsOf(raw, (why) => {
      reason = why;
    });
    const upstream = candidates.find(({ prefix }) => isUnder(raw, prefix));
    // A path below no upstream is not passed on; our routes handle it.
    if (readings === undefined && upstream === undefined) return { kind: "ours", url, upstream: null };
    const refused = (why: string) =>
      ({ kind: "refused", url, upstream: upstream ?? null, reason: why }) as const;
    if (readings === undefined) return refused(reason ?? "The path cannot be read.");

    // Every reading must lead to the same destination as the path as it stands.
    const all = readings.all.flatMap((reading) => this.#shortened(reading, candidates));
    for (const { path, prefix } of all) {
      const owned = this.#options.own.hasLower(path, prefix !== "");
      if (prefix.length > (upstream?.prefix.length ?? 0) || (owned && !this.#isOwn(raw, upstream)))
        return refused("The path can be read in two ways.");
    }
    if (upstream === undefined) return { kind: "ours", url, upstream: null };
    const rest = url.slice(upstream.prefix.length);
    const inner = rest.startsWith("/") ? rest : `/${rest}`;
    if (this.#isOwn(raw, upstream)) return { kind: "ours", url: inner, upstream };
    const path = readings.normal.slice(upstream.prefix.length) || "/";
    return { kind: this.#kind(request, path), url: inner, upstream, path, raw, readings };
  }

  #isOwn(raw: string, upstream: Upstream | undefined): boolean {
    const prefix = upstream?.prefix ?? "";
    return this.#options.own.has(raw.slice(prefix.length), prefix !== "");
  }

  #kind(request: IncomingMessage, path: string): "page" | "data" | "socket" {
    if (this.#sockets.has(request)) return "socket";
    const reading = request.method === "GET" || request.method === "HEAD";
    return reading && PAGES.test(path) ? "page" : "data";
  }

  #candidates(request: IncomingMessage): readonly Upstream[] {
    if (this.#options.account?.isAt(request)) return [];
    if (this.#hosts.size === 0) return this.#upstreams;
    const said = this.#options.proxies.readHeaders(request).host ?? request.headers.host ?? "";
    const full = said.toLowerCase();
    const name = this.#hosts.has(full) ? full : full.replace(/:\d+$/, "");
    const host = this.#hosts.has(name) ? name : null;
    return this.#upstreams.filter((upstream) => upstream.host === host);
  }

  /** A reading, and what is left after a server removes our root path or prefixes once more than we do. */
  #shortened(reading: string, candidates: readonly Upstream[]): { path: string; prefix: string }[] {
    const found: { path: string; prefix: string }[] = [];
    const { rootPath } = this.#options;
    const inner = below(reading, rootPath.toLowerCase());
    for (const path of inner === undefined ? [reading] : [reading, inner]) {
      found.push({ path, prefix: "" });
      for (const { prefix } of candidates) {
        if (prefix !== "" && isUnder(path, prefix.toLowerCase()))
          found.push({ path: path.slice(prefix.length) || "/", prefix });
      }
    }
    return found;
  }
}

/** Pages that Tiled shows before a login. They hold no data and are needed to log in. */
const PAGES = /^\/(?:$|ui(?:\/|$)|static\/|favicon\.ico$|tiled-ui-settings$)/;

/** Absolute URLs are valid targets (RFC 9112, section 3.2.2); we accept those that agree with `Host`. */
function originForm(url: string, host: string | undefined): string | undefined {
  if (url.startsWith("/")) return url;
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (absolute === null) return url;
  const [, authority = "", rest = ""] = absolute;
  if (authority.toLowerCase() !== host?.toLowerCase()) return undefined;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function isUnder(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47);
}

/** The rest of a target after a non-empty start. */
function below(target: string, start: string): string | undefined {
  return start !== "" && target.startsWith(`${start}/`) ? target.slice(start.length) : undefined;
}
