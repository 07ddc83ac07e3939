/**
 * Passes a browser's login from the account host to a data host, or to CAVE's pages: by a ticket from there, a one-time code
 * that the account host sends back, and a cookie for the one or the other. All three are signed and stored nowhere. They refer
 * to the browser's session, and end with it.
 */
import { createHmac, hkdfSync } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, equalSecrets, randomHex, type Secret, sha256 } from "../../lib/secrets.ts";
import type { RequestContext } from "../model/entities.ts";
import type { BrowserLoginStore } from "../ports/logins.ts";
import { addressBlock } from "../throttling/throttle.ts";
import { browserDigest } from "./binding.ts";

/** Seconds; the lifetime of the browser's login cookie. */
const TICKET_MAX_AGE = 3600;
const CODE_MAX_AGE = 60;
/** How many used codes of one address are remembered. */
const REMEMBERED = 500;
const LONGEST = 4096;
const HANDED_OVER = /^([0-9a-f]{64})([0-9a-f]{64})$/;
/** Services behind a data host may see its cookie, so that counts for no page of CAVE. */
const FOR_CAVE = /^cave\.([0-9a-f]{64})([0-9a-f]{64})$/;

/** A login on its way to one browser at one data host. */
export interface HandOver {
  /** The data host's origin; for CAVE's pages their address. */
  readonly origin: string;
  /** The browser's destination; checked there before signing. */
  readonly next: string;
  /** Digest of the browser's cookie there. */
  readonly browser: Digest;
}

interface Content {
  readonly o: string;
  readonly n: string;
  readonly b: Digest;
  readonly e: number;
  /** The session's token, in a code. */
  readonly t?: Digest;
  /** Makes each code unique. */
  readonly i?: string;
}

/** That of CAVE's pages leads to a login of its own, so the account host does not hand the account's over for it. */
type TicketKind = "ticket" | "cave ticket";
type Kind = TicketKind | "code" | "cookie" | "cave cookie";

export interface HandOversDeps {
  readonly secrets: readonly Secret[];
  readonly store: Pick<BrowserLoginStore, "use">;
  readonly clock: Clock;
}

export class HandOvers {
  readonly #deps: HandOversDeps;
  readonly #keys: readonly Buffer[];

  /** The first key signs; all verify. */
  constructor(deps: HandOversDeps) {
    this.#deps = deps;
    this.#keys = deps.secrets.map((secret) =>
      Buffer.from(hkdfSync("sha256", secret.reveal(), "", "tiled-auth: hand-over of a login", 32)),
    );
  }

  ticket(origin: string, next: string, browser: string, kind: TicketKind = "ticket"): string {
    return this.#sign(kind, {
      o: origin,
      n: next,
      b: browserDigest(browser),
      e: this.#in(TICKET_MAX_AGE),
    });
  }

  /** Null if none of our keys signed it, or it has expired. */
  readTicket(text: string, kind: TicketKind = "ticket"): HandOver | null {
    const content = this.#read(kind, text);
    if (content === null || content.e <= this.#deps.clock.now()) return null;
    return { origin: content.o, next: content.n, browser: content.b };
  }

  /** `session`: digest of the browser's session cookie at the account host. */
  code({ origin, next, browser }: HandOver, session: Digest): string {
    const content = {
      o: origin,
      n: next,
      b: browser,
      e: this.#in(CODE_MAX_AGE),
      t: session,
      i: randomHex(16),
    };
    return this.#sign("code", content);
  }

  /**
   * Uses a code up, even if another browser presents it. `over`: it was used, has expired, or belongs to another browser.
   * Null: not a code for this origin.
   */
  async redeem(
    code: string,
    /** `browserOf`: the browser's secret with this digest, otherwise any secret it has. */
    at: { readonly origin: string; readonly forCave?: true; browserOf(digest: Digest): string | null },
    { address }: RequestContext,
  ): Promise<
    | { readonly kind: "fresh"; readonly next: string; readonly cookie: string }
    | { readonly kind: "over"; readonly next: string }
    | null
  > {
    const content = this.#read("code", code);
    if (content?.t === undefined || content.o !== at.origin) return null;
    const over = { kind: "over", next: content.n } as const;
    if (content.e <= this.#deps.clock.now()) return over;
    const { kind } = await this.#deps.store.use({
      state: sha256(`hand-over ${code}`),
      expirationTime: new Date(content.e),
      place: addressBlock(address),
      limit: REMEMBERED,
    });
    const browser = at.browserOf(content.b);
    const isIts = browser !== null && equalSecrets(content.b, browserDigest(browser));
    if (kind !== "fresh" || !isIts) return over;
    const cookie = at.forCave
      ? `cave.${content.t}${this.#mac("cave cookie", content.t)}`
      : content.t + this.#mac("cookie", content.t);
    return { kind: "fresh", next: content.n, cookie };
  }

  /** The session token in a cookie that was handed over; null if none of our keys signed it. */
  tokenIn(cookie: string): Digest | null {
    const forCave = FOR_CAVE.exec(cookie);
    const [, token = "", mac = ""] = forCave ?? HANDED_OVER.exec(cookie) ?? [];
    const kind = forCave === null ? "cookie" : "cave cookie";
    return token !== "" && this.#isSigned(kind, token, mac) ? (token as Digest) : null;
  }

  #in(seconds: number): number {
    return this.#deps.clock.now() + seconds * 1000;
  }

  #sign(kind: Kind, content: Content): string {
    const text = Buffer.from(JSON.stringify(content)).toString("base64url");
    return `${text}.${this.#mac(kind, text)}`;
  }

  #read(kind: Kind, signed: string): Content | null {
    const [text = "", mac = "", ...rest] = signed.length > LONGEST ? [] : signed.split(".");
    if (text === "" || rest.length > 0 || !this.#isSigned(kind, text, mac)) return null;
    return JSON.parse(Buffer.from(text, "base64url").toString()) as Content;
  }

  #mac(kind: Kind, text: string, [key] = this.#keys): string {
    if (key === undefined) throw new Error("A login cannot be handed over without a secret key.");
    return createHmac("sha256", key).update(`${kind} ${text}`).digest("hex");
  }

  #isSigned(kind: Kind, text: string, mac: string): boolean {
    return this.#keys.some((key) => equalSecrets(mac, this.#mac(kind, text, [key])));
  }
}

/** The text if it has the form of a data host's cookie, otherwise null. */
export function readHandedOver(text: string | undefined): string | null {
  return text !== undefined && HANDED_OVER.test(text) ? text : null;
}

/** The same for the cookie of CAVE's pages. */
export function readHandedToCave(text: string | undefined): string | null {
  return text !== undefined && FOR_CAVE.test(text) ? text : null;
}
