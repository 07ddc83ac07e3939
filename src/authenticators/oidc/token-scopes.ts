/**
 * From the scopes of a provider's access token to ours: by the operator's map, or without one, those with our names. Other scopes
 * give nothing.
 */

import { isScope, SCOPES } from "../../domain/model/scopes.ts";
import { OperatorError } from "../../errors.ts";
import { quoted } from "../../yaml/located.ts";
import { didYouMean } from "../../yaml/suggest.ts";

export class TokenScopes {
  readonly #map: ReadonlyMap<string, readonly string[]> | null;
  readonly #only: ReadonlySet<string> | null;

  constructor(map: Readonly<Record<string, readonly string[]>> | null, only: readonly string[] | null) {
    for (const [theirs, ours] of Object.entries(map ?? {})) checkScopes(theirs, ours);
    this.#map = map === null ? null : new Map(Object.entries(map));
    this.#only = only === null ? null : new Set(only);
  }

  of(claims: Readonly<Record<string, unknown>>): readonly string[] {
    const said = [...list(claims["scope"]), ...list(claims["scp"])];
    const ours = said.flatMap((name) =>
      this.#map === null
        ? isScope(name) && (this.#only?.has(name) ?? true)
          ? [name]
          : []
        : (this.#map.get(name) ?? []),
    );
    return [...new Set(ours)].sort();
  }
}

/** Separated by spaces (RFC 8693, section 4.2), or a list. */
function list(value: unknown): readonly string[] {
  if (typeof value === "string") return value.split(" ");
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function checkScopes(theirs: string, ours: readonly string[]): void {
  for (const name of ours) {
    if (isScope(name)) continue;
    throw new OperatorError(
      `args.scopes_map: ${quoted(theirs)} gives ${quoted(name)}, which is not a scope.${didYouMean(name, SCOPES)}`,
    );
  }
}
