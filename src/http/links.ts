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
  /** Whether we terminate TLS ourselves. */
  readonly tls: boolean;
  readonly proxies: Proxies;
  /** The origin of the pages for people, where they have a host of their own. */
  readonly account?: AccountHost | null;
  /** Where a request stands among the servers behind this one. */
  readonly place?: (request: FastifyRequest["raw"]) => Place;
}

export interface Place {
  /** Below the root: "" or "/beamline". */
  readonly prefix: string;
  /** A host name of its own, which `publicUrl` does not speak of. */
  readonly ownHost: boolean;
}

const ROOT: Place = { prefix: "", ownHost: false };

export class Links {
  /** The path under which everything stands for the browser: "" or "/prefix". */
  readonly rootPath: string;
  readonly #publicOrigin: string | null;
  readonly #tls: boolean;
  readonly #proxies: Proxies;
  readonly #account: AccountHost | null;
  readonly #place: (request: FastifyRequest["raw"]) => Place;

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
   * A redirect within this server as a path, where there is a proxy (`root_path`) and nothing but `Host` says which host that
   * is: nginx passes its own name unless told otherwise, takes that for the start of our addresses and adds its prefix again.
   */
  shortened(request: FastifyRequest, location: string): string {
    if (this.#publicOrigin !== null || this.rootPath === "") return location;
    if (this.#proxies.read(request).host !== undefined) return location;
    const url = URL.parse(location);
    const host = URL.parse(`${this.isHttps(request) ? "https" : "http"}://${request.raw.headers.host}`);
    if (url === null || url.origin !== host?.origin) return location;
    return url.pathname.startsWith(`${this.rootPath}/`) ? url.pathname + url.search + url.hash : location;
  }

  /** The base of the pages for people, wherever the request is. */
  pagesBase(request: FastifyRequest): string {
    return this.#account === null ? this.base(request) : this.#account.origin + this.rootPath;
  }

  /** Whether data are read here, and the pages for people are on another host. */
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
