/**
 * The base of every link, redirect and cookie: `server.public_url`, else what a trusted proxy says, else `Host`.
 */
import type { FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import type { AccountHost } from "./account-host.ts";
import { isHost } from "./host-names.ts";
import type { Proxies } from "./proxies.ts";

export interface LinksOptions {
  readonly publicUrl: string | null;
  /** "" or "/prefix". */
  readonly rootPath: string;
  /** Whether this server terminates TLS. */
  readonly tls: boolean;
  readonly proxies: Proxies;
  /** Null if the pages for people have no host of their own. */
  readonly account?: AccountHost | null;
  /** Which mount of a server behind this one a request belongs to. */
  readonly place?: (request: FastifyRequest["raw"]) => MountPoint;
}

export interface MountPoint {
  /** Below the root: "" or "/beamline". */
  readonly prefix: string;
  /** The mount has a host name of its own, to which `publicUrl` does not apply. */
  readonly ownHost: boolean;
}

const ROOT: MountPoint = { prefix: "", ownHost: false };

export class Links {
  /** The path below which a browser sees this server: "" or "/prefix". */
  readonly rootPath: string;
  readonly #publicOrigin: string | null;
  readonly #tls: boolean;
  readonly #proxies: Proxies;
  readonly #account: AccountHost | null;
  readonly #place: (request: FastifyRequest["raw"]) => MountPoint;

  constructor({ publicUrl, rootPath, tls, proxies, account = null, place = () => ROOT }: LinksOptions) {
    const url = publicUrl === null ? null : new URL(publicUrl);
    this.rootPath = url === null ? rootPath : url.pathname.replace(/\/$/, "");
    this.#publicOrigin = url?.origin ?? null;
    this.#tls = tls;
    this.#proxies = proxies;
    this.#account = account;
    this.#place = place;
  }

  /** e.g. `https://tiled.example.org/prefix`, without a slash at its end. */
  base(request: FastifyRequest): string {
    return this.origin(request) + this.path(request);
  }

  /** e.g. `https://tiled.example.org`. */
  origin(request: FastifyRequest): string {
    if (this.#account?.isAt(request.raw)) return this.#account.origin;
    if (this.#publicOrigin !== null && !this.#place(request.raw).ownHost) return this.#publicOrigin;
    const host = this.#proxies.read(request).host ?? request.raw.headers.host ?? "";
    if (!isHost(host)) throw new Failure("bad_request", { detail: "The Host header is not a host name." });
    return `${this.isHttps(request) ? "https" : "http"}://${host}`;
  }

  /** The path of the base: "" or "/prefix". */
  path(request: FastifyRequest): string {
    return this.rootPath + this.#place(request.raw).prefix;
  }

  /**
   * Shortens a redirect within this server to its path if a proxy (`root_path`) names no host but `Host`: nginx passes its own
   * name by default, takes that for the start of our addresses and adds its prefix again.
   */
  shortened(request: FastifyRequest, location: string): string {
    if (this.#publicOrigin !== null || this.rootPath === "") return location;
    if (this.#proxies.read(request).host !== undefined) return location;
    const url = URL.parse(location);
    const host = URL.parse(`${this.isHttps(request) ? "https" : "http"}://${request.raw.headers.host}`);
    if (url === null || url.origin !== host?.origin) return location;
    return url.pathname.startsWith(`${this.rootPath}/`) ? url.pathname + url.search + url.hash : location;
  }

  /** The base of the pages for people, whichever host the request is at. */
  pagesBase(request: FastifyRequest): string {
    return this.#account === null ? this.base(request) : this.#account.origin + this.rootPath;
  }

  /** Whether the request is at a host for data while the pages for people are on another host. */
  isDataHost(request: FastifyRequest): boolean {
    return this.#account !== null && !this.#account.isAt(request.raw);
  }

  isHttps(request: FastifyRequest): boolean {
    if (this.#account?.isAt(request.raw)) return this.#account.origin.startsWith("https:");
    if (this.#publicOrigin !== null) return this.#publicOrigin.startsWith("https:");
    const { proto } = this.#proxies.read(request);
    return proto === undefined ? this.#tls : proto === "https";
  }
}
