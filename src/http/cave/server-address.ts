/**
 * CAVE's own addresses, all made from `cave.server_address`, never from the request. `redirects.ts` decides which other
 * addresses may be handed a token.
 */

const STICKY = "/sticky_auth";

/** What the checks of `access` and the cookies ask of links, answered from the configuration. */
interface Here {
  base(): string;
  isHttps(): boolean;
}

export class CaveLinks {
  /** The server's address without a slash at its end, e.g. `https://cave.example.org`. */
  readonly base: string;
  readonly origin: string;
  /** The path of the base: "" or "/prefix". */
  readonly path: string;
  /** The base of the pages and of their API, e.g. `https://cave.example.org/sticky_auth`. */
  readonly sticky: string;
  /** The same without a host: the path of the pages' cookie, and of what they link to. */
  readonly stickyPath: string;
  readonly tokensPage: string;
  /** As `middle_auth_url` names it: host and path. */
  readonly authUrl: string;
  readonly isHttps: boolean;
  readonly here: Here;

  constructor(serverAddress: string) {
    const { origin, host, protocol, pathname } = new URL(serverAddress);
    this.path = pathname.replace(/\/+$/, "");
    this.base = origin + this.path;
    this.origin = origin;
    this.stickyPath = this.path + STICKY;
    this.sticky = this.base + STICKY;
    this.tokensPage = `${this.sticky}/settings/tokens`;
    this.authUrl = host + this.stickyPath;
    this.isHttps = protocol === "https:";
    this.here = { base: () => this.base, isHttps: () => this.isHttps };
  }

  /** Where a browser logs in, and is handed a token for this address; without one a viewer's popup is. */
  authorize(redirect?: string): string {
    const query = redirect === undefined ? "" : `?${new URLSearchParams({ redirect })}`;
    return `${this.sticky}/api/v1/authorize${query}`;
  }

  /** The page that accepts terms of service. */
  tos(id: number): string {
    return `${this.sticky}/api/v1/tos/${id}/accept`;
  }

  /** Whether an address is a page of ours, which needs no token. */
  isOwnPage(url: URL): boolean {
    const { origin, pathname } = url;
    return (
      origin === this.origin && (pathname === this.stickyPath || pathname.startsWith(`${this.stickyPath}/`))
    );
  }
}
