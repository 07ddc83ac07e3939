/**
 * The kind of an upstream, and the settings of an upstream that is not a Tiled: scopes that its callers need, a separate key
 * for its tokens. The other settings are in `upstreams.ts`; `http/gateway/credentials.ts` applies these rules.
 */
import { isScope, SCOPES, type Scope } from "../domain/model/scopes.ts";
import { Secret } from "../lib/secrets.ts";
import { at, isNothing, type Path } from "../yaml/located.ts";
import { didYouMean } from "../yaml/suggest.ts";
import type { Context } from "./context.ts";
import type { UpstreamConfig } from "./model.ts";

type Given = NonNullable<NonNullable<Context["value"]["trees"]>[number]>;
type Kind = Pick<UpstreamConfig, "kind" | "requires" | "enforcesScopes" | "tokenKey">;

/** Settings of kind `http` only. */
const OF_HTTP = ["requires", "enforces_scopes", "token_key"] as const;

export function upstreamKind(context: Context, path: Path, entry: Given): Kind {
  const kind = entry.kind ?? null;
  for (const key of OF_HTTP) {
    const node = at(context.root, [...path, key]);
    if (node === undefined || isNothing(node) || kind === "http") continue;
    context.problem([...path, key], "this needs an upstream that is not a Tiled. Add 'kind: http'");
  }
  if (kind === "http" && entry.shares_database === true) {
    context.problem(
      [...path, "shares_database"],
      "API keys are passed on to a Tiled only. Remove this or 'kind: http'",
    );
  }
  const { requires } = entry;
  if (entry.enforces_scopes === true && requires != null) {
    context.problem(
      [...path, "requires"],
      "with 'enforces_scopes' the upstream checks scopes itself. Remove one of the two",
    );
  }
  return {
    kind,
    requires: {
      read: scopes(context, [...path, "requires", "read"], requires?.read),
      write: scopes(context, [...path, "requires", "write"], requires?.write),
    },
    enforcesScopes: entry.enforces_scopes ?? false,
    tokenKey: tokenKey(context, [...path, "token_key"], entry.token_key),
  };
}

function scopes(
  context: Context,
  path: Path,
  names: readonly (string | undefined)[] | null | undefined,
): readonly Scope[] | null {
  if (names == null) return null;
  if (names.length === 0) {
    context.warn(
      path,
      "no scope is required, so a key without scopes passes, and with 'allow_anonymous_access' so do visitors",
    );
  }
  const found: Scope[] = [];
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue;
    if (isScope(name)) {
      found.push(name);
      continue;
    }
    const place = [...path, index];
    context.problem(
      place,
      `${context.shown(place, "this")} is not a scope.${didYouMean(name, SCOPES)} The scopes are: ${SCOPES.join(", ")}.`,
    );
  }
  return [...new Set(found)].sort();
}

/** A token signed with one of `secret_keys` would be valid at every Tiled behind this server. */
function tokenKey(context: Context, path: Path, key: string | null | undefined): Secret | null {
  if (key == null) return null;
  const { secret_keys: ours } = context.value.authentication ?? {};
  if (ours?.includes(key) === true) {
    context.problem(
      path,
      "this is one of authentication.secret_keys, whose tokens are valid at every Tiled behind this server. Make another key: openssl rand -hex 32",
    );
  }
  return new Secret(key);
}
