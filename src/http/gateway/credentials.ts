/**
 * Credentials of a request on its way to a server behind this one. A Tiled gets a token with the caller's scopes; any other
 * service gets names, and only if it could not mistake the caller's credential for a stronger one.
 */

import { type Caller, missingScopes } from "../../domain/model/caller.ts";
import type { Scope } from "../../domain/model/scopes.ts";
import type { Upstream } from "../../domain/model/upstream.ts";
import {
  hasFullPower,
  tokenWidens,
  type UpstreamCredentialIssuer,
  type UpstreamCredentials,
} from "../../domain/tokens/upstream-credentials.ts";
import { Failure } from "../../errors.ts";
import { chain, type MaybePromise } from "../../lib/maybe-promise.ts";
import { pythonList } from "../../lib/python.ts";
import { identityFields } from "../access/identity-headers.ts";
import type { Known } from "./about.ts";

/** Credentials as they are sent: in `Authorization`, or a token in the query of a Tiled's WebSocket. */
export interface Sent {
  readonly token: string | null;
  /** The server is a Tiled. */
  readonly tiled: boolean;
  /** The caller's names for servers that read no token: fields and values in turn. */
  readonly names: readonly string[];
  /** The caller's own API key, for a server that shares our database; it replaces the token. */
  readonly key: string | null;
}

export interface CredentialsDeps {
  /** Issuer for every Tiled. */
  readonly credentialIssuer: UpstreamCredentialIssuer;
  /** Issuer for another service: with the service's own key, or names only. */
  readonly issuerFor: (upstream: Upstream) => UpstreamCredentialIssuer;
  readonly about: (upstream: Upstream) => MaybePromise<Known>;
  readonly allowAnonymous: boolean;
}

/** One request to one server. */
export interface CredentialsRequest {
  readonly caller: Caller;
  readonly upstream: Upstream;
  readonly use: "read" | "write";
  /** The API key that was presented, if any. */
  readonly secret: () => string | null;
}

/** Throws what the caller lacks. */
export class CredentialsForUpstream {
  readonly #deps: CredentialsDeps;

  constructor(deps: CredentialsDeps) {
    this.#deps = deps;
  }

  /** Synchronous if the server is known and the caller has had credentials for it a short while ago. */
  of(request: CredentialsRequest): MaybePromise<Sent> {
    const { caller, upstream } = request;
    if (caller.kind === "anonymous" && !this.#deps.allowAnonymous) throw new Failure("no_credentials");
    switch (upstream.kind) {
      case "tiled":
        return this.#forTiled(request);
      case "http":
        return this.#forOther(request);
      default:
        return chain(this.#deps.about(upstream), (known) => this.#asKnown(request, known));
    }
  }

  #asKnown(request: CredentialsRequest, known: Known): MaybePromise<Sent> {
    if (known.kind === "tiled") return this.#forTiled(request);
    // Its kind cannot be told yet: a refusal might speak of another kind of service.
    if (known.kind === "away" && refusal(request) !== null) throw known.failure;
    return this.#forOther(request);
  }

  #forTiled({ caller, upstream, secret }: CredentialsRequest): MaybePromise<Sent> {
    const key = tokenWidens(caller) && upstream.sharesDatabase ? secret() : null;
    if (tokenWidens(caller) && key === null) {
      throw new Failure("forbidden", {
        detail:
          "This API key is restricted to access tags, which the data service behind this server does not know. " +
          "Use another key, or ask the operator to set 'shares_database' for it in 'trees'.",
      });
    }
    return chain(this.#deps.credentialIssuer.issue(caller), (issued) => sent(issued, { tiled: true, key }));
  }

  #forOther(request: CredentialsRequest): MaybePromise<Sent> {
    const refused = refusal(request);
    if (refused !== null) throw refused;
    const issued = this.#deps.issuerFor(request.upstream).issue(request.caller);
    return chain(issued, (made) => sent(made, { tiled: false, key: null }));
  }
}

function sent(issued: UpstreamCredentials, how: Pick<Sent, "tiled" | "key">): Sent {
  return { token: issued.token, names: identityFields(issued), ...how };
}

/** Why this caller may not use a service other than a Tiled; null: it may. */
function refusal({ caller, upstream, use }: CredentialsRequest): Failure | null {
  if (tokenWidens(caller)) {
    return new Failure("forbidden", {
      detail:
        "This API key is restricted to access tags, which the service behind this server does not know. Use another key.",
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
      ? `This API key is restricted to scopes ${scopesOf(caller)}, and the service behind this server does not check scopes. ` +
        "Use a login or a key with the scope 'inherit', or ask the operator to set 'requires' for the service in 'trees'."
      : "Your account has no scopes, and the service behind this server does not check scopes. Ask an administrator for a role.";
  return new Failure("forbidden", { detail });
}

function lacking(caller: Caller, needed: readonly Scope[]): Failure {
  if (caller.kind === "anonymous") return new Failure("no_credentials");
  const what = caller.kind === "api_key" ? "This API key" : "Your account";
  return new Failure("forbidden", {
    detail: `The service behind this server requires scopes ${pythonList(needed)}. ${what} has ${scopesOf(caller)}.`,
  });
}

function scopesOf({ scopes }: Caller): string {
  return pythonList([...scopes].sort());
}
