/**
 * The base of every link, redirect and cookie: `server.public_url`, else what a trusted proxy says, else `Host`.
 */
import type { FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import type { Proxies } from "./proxies.ts";

export interface LinksOptions {
  readonly publicUrl: string | null;
  /** "" or "/prefix". */
  readonly rootPath: string;
  /** Whether we terminate TLS ourselves. */
  readonly tls: boolean;
  readonly proxies: Proxies;
}

const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

export class Links {
  readonly #publicUrl: string | null;
  readonly #rootPath: string;
  readonly #tls: boolean;
  readonly #proxies: Proxies;

  constructor(options: LinksOptions) {
    this.#publicUrl = options.publicUrl;
    this.#rootPath = options.rootPath;
    this.#tls = options.tls;
    this.#proxies = options.proxies;
  }

  /** e.g. `https://tiled.example.org/prefix`, without a slash at its end. */
  base(request: FastifyRequest): string {
    if (this.#publicUrl !== null) return this.#publicUrl;
    const forwarded = this.#proxies.read(request);
    const host = forwarded.host ?? request.raw.headers.host ?? "";
    if (!HOST.test(host)) throw new Failure("bad_request", { detail: "The Host header is not a host name." });
    return `${this.#scheme(forwarded.proto)}://${host}${this.#rootPath}`;
  }

  /** The path under which everything stands for the browser: "" or "/prefix". */
  get rootPath(): string {
    if (this.#publicUrl === null) return this.#rootPath;
    return new URL(this.#publicUrl).pathname.replace(/\/$/, "");
  }

  isHttps(request: FastifyRequest): boolean {
    if (this.#publicUrl !== null) return this.#publicUrl.startsWith("https:");
    return this.#scheme(this.#proxies.read(request).proto) === "https";
  }

  #scheme(forwarded: string | undefined): "http" | "https" {
    if (forwarded === "https" || forwarded === "http") return forwarded;
    return this.#tls ? "https" : "http";
  }
}
