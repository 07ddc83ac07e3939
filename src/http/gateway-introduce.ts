/**
 * In which words a caller is introduced to a server behind this one, and who is not: nobody in particular where that is
 * not allowed, and a key that the server could only take for more than it is.
 */
import type { Caller } from "../domain/caller.ts";
import { type Exchange, type Introduction, tokenWidens } from "../domain/exchange.ts";
import { Failure } from "../errors.ts";
import type { Upstream } from "./gateway-mounts.ts";
import { introductionHeaders } from "./introduction.ts";

export interface Words {
  readonly token: string | null;
  /** Who it is, for servers that read no token: names and values in turn. */
  readonly names: readonly string[];
  /** The API key itself, for a server that shares our database; with it there is no token. */
  readonly key: string | null;
}

export interface IntroducerDeps {
  readonly exchange: Exchange;
  readonly allowAnonymous: boolean;
}

export class Introducer {
  readonly #deps: IntroducerDeps;
  /** The same words for each request of a caller. */
  readonly #words = new WeakMap<Introduction, Words>();

  constructor(deps: IntroducerDeps) {
    this.#deps = deps;
  }

  /** `secret`: the key that was presented. Synchronous where the caller was introduced a short while ago. */
  introduce(caller: Caller, upstream: Upstream, secret: () => string | null): Words | Promise<Words> {
    if (caller.kind === "anonymous" && !this.#deps.allowAnonymous) throw new Failure("no_credentials");
    const introduction = this.#deps.exchange.introduce(caller);
    if (introduction instanceof Promise)
      return introduction.then((made) => this.#say(made, caller, upstream, secret));
    return this.#say(introduction, caller, upstream, secret);
  }

  #say(introduction: Introduction, caller: Caller, upstream: Upstream, secret: () => string | null): Words {
    let words = this.#words.get(introduction);
    if (words === undefined) {
      const names = Object.entries(introductionHeaders(introduction)).filter(([, value]) => value !== "");
      words = { token: introduction.token, names: names.flat(), key: null };
      this.#words.set(introduction, words);
    }
    if (!tokenWidens(caller)) return words;
    const key = upstream.sharesDatabase ? secret() : null;
    if (key !== null) return { ...words, key };
    throw new Failure("forbidden", {
      detail:
        "This API key is narrowed to access tags, and the data service behind this server would not know of them. " +
        "Use another key, or ask the operator to set 'shares_database' for it in 'trees'.",
    });
  }
}
