/**
 * A provider's metadata and keys: by discovery, which is retried in the background while the provider is down and repeated
 * every hour, or from the configuration. A provider that is down never stops the start.
 */
import { allowInsecureRequests, customFetch, discovery, type ServerMetadata } from "openid-client";
import { NOT_REACHED_YET } from "../../domain/ports/authenticator.ts";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Calls, within } from "./calls.ts";
import { type Keys, RemoteKeys } from "./keys.ts";
import { documentOf, isAt, type Metadata, namesDocument, readMetadata } from "./metadata.ts";
import { innerFailure, innerMessage } from "./refusals.ts";
import { quotedForLog } from "./signature.ts";
import { bare } from "./urls.ts";

/** Milliseconds between two tries while the provider is down, doubled each time. */
const FIRST_PAUSE = 5_000;
const LAST_PAUSE = 60_000;
/** For this time after a failure, logins fail with it at once. */
const SAME_ANSWER = 2_000;
const REPEATED = 3_600_000;
/** A start waits this long for the first try. */
const START = 2_000;

export interface KnownProvider {
  readonly metadata: Metadata;
  readonly keys: Keys;
}

export interface OidcProvider {
  /** Null until discovery has succeeded. */
  readonly known: KnownProvider | null;
  /** Discovers an unknown provider. Fails with `bad_gateway` or `gateway_timeout`. */
  get(signal: AbortSignal): Promise<KnownProvider>;
  /** Why logins fail; null if they should work. */
  problem(): string | null;
  start(): Promise<void>;
  stop(): void;
}

/** Calls `run` once after the given milliseconds. Returns a function that cancels it. */
export type Schedule = (milliseconds: number, run: () => void) => () => void;

interface DiscoveryParts {
  readonly url: URL;
  readonly clientId: string;
  readonly calls: Calls;
  readonly loopback: boolean;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly warn: (message: string) => void;
  /** Further requirements of the metadata: the text names what is missing. */
  readonly needs?: (metadata: Metadata) => string | null;
}

export class DiscoveredProvider implements OidcProvider {
  readonly #parts: DiscoveryParts;
  #known: KnownProvider | null = null;
  #failure: Failure | null = null;
  #failed = Number.NEGATIVE_INFINITY;
  #pause = FIRST_PAUSE;
  #trying: Promise<KnownProvider> | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
  }

  get known(): KnownProvider | null {
    return this.#known;
  }

  async get(signal: AbortSignal): Promise<KnownProvider> {
    if (this.#known !== null) return this.#known;
    if (this.#failure !== null && this.#parts.clock.now() - this.#failed < SAME_ANSWER) {
      throw new Failure(this.#failure.code, { log: this.#failure.message });
    }
    return within(this.#try(), signal, "The provider's discovery document");
  }

  problem(): string | null {
    if (this.#failure !== null) return this.#failure.message;
    return this.#known === null ? NOT_REACHED_YET : null;
  }

  async start(): Promise<void> {
    // A slow provider is retried in the background.
    await within(this.#try(), AbortSignal.timeout(START), "discovery").catch(() => undefined);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #try(): Promise<KnownProvider> {
    this.#trying ??= this.#discover().finally(() => {
      this.#trying = undefined;
    });
    return this.#trying;
  }

  async #discover(): Promise<KnownProvider> {
    this.#cancel?.();
    try {
      const known = await this.#ask();
      if (this.#failure !== null) this.#parts.warn("the provider can be used again.");
      this.#known = known;
      this.#failure = null;
      this.#pause = FIRST_PAUSE;
      this.#again(REPEATED);
      return known;
    } catch (error) {
      const failure =
        error instanceof Failure ? error : new Failure("bad_gateway", { log: String(error), cause: error });
      if (failure.message !== this.#failure?.message) {
        this.#parts.warn(`${failure.message} Logins fail until it can be used; it is retried.`);
      }
      this.#failure = failure;
      this.#failed = this.#parts.clock.now();
      this.#again(this.#pause);
      this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
      throw failure;
    }
  }

  async #ask(): Promise<KnownProvider> {
    const { url, calls, loopback, clock, warn, needs } = this.#parts;
    const metadata = readMetadata(await this.#document(), bare(documentOf(url).href), loopback);
    const { issuer, jwksUri } = metadata;
    if (issuer === null || jwksUri === null) throw new Error("A discovered provider has an issuer and keys.");
    const missing = needs?.(metadata) ?? null;
    if (missing !== null) {
      throw new Failure("bad_gateway", { log: `The provider (args.well_known_uri) ${missing}.` });
    }
    if (!isAt(issuer, url)) {
      if (!namesDocument(url)) {
        throw new Failure("bad_gateway", {
          log:
            `The provider's discovery document names the issuer ${quotedForLog(issuer)}, and args.well_known_uri ` +
            `${quotedForLog(bare(url.href))}: write the issuer there as the provider names it, or the document's whole address.`,
        });
      }
      if (issuer !== this.#known?.metadata.issuer) {
        warn(
          `args.well_known_uri (${bare(url.href)}) names a document whose issuer is elsewhere (${quotedForLog(issuer)}); ` +
            "tokens must be of that issuer. Is it the address that the provider's own documentation gives?",
        );
      }
    }
    const before = this.#known?.keys;
    const same = before instanceof RemoteKeys && before.url === jwksUri ? before : undefined;
    const keys = same ?? new RemoteKeys(jwksUri, calls, clock);
    await keys.fetch();
    return { metadata, keys };
  }

  async #document(): Promise<ServerMetadata> {
    const { url, clientId, calls } = this.#parts;
    const fetchDocument = async (address: string): Promise<Response> => {
      const what = "The provider's discovery document";
      const { body } = await calls.json({ url: address, what, setting: "args.well_known_uri" });
      return Response.json(body);
    };
    try {
      // openid-client requires an issuer that equals the address that it is given, unless that is a document's.
      const found = await discovery(documentOf(url), clientId, undefined, undefined, {
        [customFetch]: fetchDocument,
        // Which URLs may be called is decided in `calls.ts`, for all of them.
        execute: [allowInsecureRequests],
      });
      return found.serverMetadata();
    } catch (error) {
      throw (
        innerFailure(error) ??
        new Failure("bad_gateway", {
          log: `The provider's discovery document (args.well_known_uri) is not valid: ${innerMessage(error)}.`,
          cause: error,
        })
      );
    }
  }

  #again(milliseconds: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.schedule(milliseconds, () => {
      this.#try().catch(() => undefined);
    });
  }
}

/** A provider that the configuration describes. */
export class FixedProvider implements OidcProvider {
  readonly known: KnownProvider;

  constructor(known: KnownProvider) {
    this.known = known;
  }

  async get(): Promise<KnownProvider> {
    return this.known;
  }

  problem(): null {
    return null;
  }

  async start(): Promise<void> {}

  stop(): void {}
}
