/**
 * How a caller is introduced to a server behind this one. A Tiled gets a token with the caller's scopes; any other service
 * gets names, and only from credentials that it could not take for more than they are.
 */

import type { Caller } from "../../domain/model/caller.ts";
import { missingScopes } from "../../domain/model/caller.ts";
import type { Scope } from "../../domain/model/scopes.ts";
import type { Upstream } from "../../domain/model/upstream.ts";
import {
  hasFullPower,
  tokenWidens,
  type UpstreamCredentialIssuer,
  type UpstreamCredentials,
} from "../../domain/tokens/upstream-credentials.ts";
import { Failure } from "../../errors.ts";
import { pythonList } from "../../lib/python.ts";
import { introductionHeaders } from "../access/identity-headers.ts";
import type { Known } from "./about.ts";

export interface Words {
  readonly token: string | null;
  /** A Tiled takes the token of a WebSocket in its query only. */
  readonly tiled: boolean;
  /** Who it is, for servers that read no token: names and values in turn. */
  readonly names: readonly string[];
  /** The API key itself, for a server that shares our database; with it there is no token. */
  readonly key: string | null;
}

export interface IntroducerDeps {
  /** For every Tiled. */
  readonly credentialIssuer: UpstreamCredentialIssuer;
  /** For a service that is none, with its own key or with names only. */
  readonly issuerOf: (upstream: Upstream) => UpstreamCredentialIssuer;
  readonly about: (upstream: Upstream) => Known | Promise<Known>;
  readonly allowAnonymous: boolean;
}

/** One caller on the way to one server. */
export interface Introduced {
  readonly caller: Caller;
  readonly upstream: Upstream;
  /** What the request is about to do. */
  readonly use: "read" | "write";
  /** The key that was presented. */
  readonly secret: () => string | null;
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export function useOf(method: string): "read" | "write" {
  return READING.has(method) ? "read" : "write";
}

export class Introducer {
  readonly #deps: IntroducerDeps;
  /** The same words for each request of a caller. */
  readonly #words = new WeakMap<UpstreamCredentials, Words>();

  constructor(deps: IntroducerDeps) {
    this.#deps = deps;
  }

  /** Synchronous where the server is known and the caller was introduced a short while ago. */
  introduce(introduced: Introduced): Words | Promise<Words> {
    const { caller, upstream } = introduced;
    if (caller.kind === "anonymous" && !this.#deps.allowAnonymous) throw new Failure("no_credentials");
    switch (upstream.kind) {
      case "tiled":
        return this.#toTiled(introduced);
      case "http":
        return this.#toOther(introduced);
      default: {
        const known = this.#deps.about(upstream);
        if (known instanceof Promise) return known.then((found) => this.#asKnown(introduced, found));
        return this.#asKnown(introduced, known);
      }
    }
  }

  #asKnown(introduced: Introduced, known: Known): Words | Promise<Words> {
    if (known.kind === "tiled") return this.#toTiled(introduced);
    // It cannot be told yet what it is: a refusal would speak of a service that may be another.
    if (known.kind === "away" && refusal(introduced) !== null) throw known.failure;
    return this.#toOther(introduced);
  }

  #toTiled({ caller, upstream, secret }: Introduced): Words | Promise<Words> {
    const key = tokenWidens(caller) && upstream.sharesDatabase ? secret() : null;
    if (tokenWidens(caller) && key === null) {
      throw new Failure("forbidden", {
        detail:
          "This API key is narrowed to access tags, and the data service behind this server would not know of them. " +
          "Use another key, or ask the operator to set 'shares_database' for it in 'trees'.",
      });
    }
    const say = (made: UpstreamCredentials): Words => {
      const words = this.#say(made, true);
      return key === null ? words : { ...words, key };
    };
    const introduction = this.#deps.credentialIssuer.issue(caller);
    return introduction instanceof Promise ? introduction.then(say) : say(introduction);
  }

  #toOther(introduced: Introduced): Words | Promise<Words> {
    const refused = refusal(introduced);
    if (refused !== null) throw refused;
    const introduction = this.#deps.issuerOf(introduced.upstream).issue(introduced.caller);
    if (introduction instanceof Promise) return introduction.then((made) => this.#say(made, false));
    return this.#say(introduction, false);
  }

  #say(introduction: UpstreamCredentials, tiled: boolean): Words {
    let words = this.#words.get(introduction);
    if (words === undefined) {
      const names = Object.entries(introductionHeaders(introduction)).filter(([, value]) => value !== "");
      words = { token: introduction.token, tiled, names: names.flat(), key: null };
      this.#words.set(introduction, words);
    }
    return words;
  }
}

/** Why a service that is no Tiled must not be asked by this caller; null: it may be. */
function refusal({ caller, upstream, use }: Introduced): Failure | null {
  if (tokenWidens(caller)) {
    return new Failure("forbidden", {
      detail:
        "This API key is narrowed to access tags, and the service behind this server does not know of them. Use another key.",
    });
  }
  if (upstream.enforcesScopes) return null;
  const needed = upstream.requires[use];
  if (needed === null) return hasFullPower(caller) ? null : notFullPower(caller);
  return missingScopes(caller, needed) ? lacking(caller, needed) : null;
}

function notFullPower(caller: Caller): Failure {
  if (caller.kind === "anonymous") return new Failure("no_credentials");
  const detail =
    caller.kind === "api_key" && caller.principal.scopes.length > 0
      ? `This API key is narrowed to scopes ${scopesOf(caller)}, and the service behind does not look at scopes. ` +
        "Use a login or a key with the scope 'inherit', or ask the operator to set 'requires' for the service in 'trees'."
      : "Your account has no scopes, and the service behind does not look at scopes. Ask an administrator for a role.";
  return new Failure("forbidden", { detail });
}

function lacking(caller: Caller, needed: readonly Scope[]): Failure {
  if (caller.kind === "anonymous") return new Failure("no_credentials");
  const what = caller.kind === "api_key" ? "This API key" : "Your account";
  return new Failure("forbidden", {
    detail: `The service behind requires scopes ${pythonList(needed)}. ${what} has ${scopesOf(caller)}.`,
  });
}

function scopesOf({ scopes }: Caller): string {
  return pythonList([...scopes].sort());
}
