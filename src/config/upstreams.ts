/**
 * Servers behind this one: entries of `trees` with an `upstream`, and the rules about their paths and hosts.
 */

import { seconds } from "../yaml/durations.ts";
import { at, isNothing, type Path } from "../yaml/located.ts";
import { hasProviders } from "./authentication.ts";
import type { Context } from "./context.ts";
import type { UpstreamConfig } from "./model.ts";
import { isTiledsTree } from "./real-tiled.ts";
import { upstreamKind } from "./upstream-kind.ts";

/** Keys that need `upstream` in the same entry. */
export const UPSTREAM_KEYS = [
  "host",
  "timeout",
  "shares_database",
  "kind",
  "requires",
  "enforces_scopes",
  "token_key",
  "trusted_pages",
  "max_connections",
  "max_streams",
] as const;

const DEFAULT_TIMEOUT = 60;
const DEFAULT_CONNECTIONS = 100;
const DEFAULT_STREAMS = 1000;
const LONGEST_TIMEOUT = 86_400;

/** First segments of the paths that this server answers itself. */
const OURS: ReadonlySet<string> = new Set([
  "account",
  "api",
  "assets",
  "auth",
  "auth_info",
  "docs",
  "healthz",
  "login",
  "openapi.json",
  "sticky_auth",
]);

/** A segment of a prefix, so that a URL can be compared with it undecoded. */
const SEGMENT = /^[A-Za-z0-9._~-]+$/;

export function isUpstream(context: Context, path: Path): boolean {
  return at(context.root, [...path, "upstream"]) !== undefined;
}

export function upstreamConfigs(context: Context): readonly UpstreamConfig[] {
  const upstreams: UpstreamConfig[] = [];
  const taken = new Map<string, number>();
  for (const [index, entry] of (context.value.trees ?? []).entries()) {
    const path = ["trees", index];
    if (!isUpstream(context, path)) continue;
    refuseOthers(context, path);
    const host = entry?.host?.toLowerCase() ?? null;
    const segments = (entry?.path ?? "").split("/").filter((segment) => segment !== "");
    checkPath(context, path, segments, host);
    const prefix = segments.map((segment) => `/${segment}`).join("");
    const name = `${host ?? ""} ${prefix}`;
    const clash = taken.get(name);
    if (clash !== undefined)
      context.problem(
        [...path, "path"],
        `trees[${clash}] has the same host and path already. Give each upstream its own.`,
      );
    taken.set(name, index);
    const timeout = seconds(entry?.timeout ?? DEFAULT_TIMEOUT) ?? DEFAULT_TIMEOUT;
    if (timeout > LONGEST_TIMEOUT)
      context.problem([...path, "timeout"], "must not be longer than a day. Use at most 86400.");
    if (entry?.upstream === undefined) continue;
    upstreams.push({
      prefix,
      host,
      url: new URL(entry.upstream).href.replace(/\/+$/, ""),
      timeout,
      sharesDatabase: sharesDatabase(context, path, entry.shares_database ?? false),
      ...upstreamKind(context, path, entry),
      trustedPages: trustedPages(context, [...path, "trusted_pages"], entry.trusted_pages),
      maxConnections: entry.max_connections ?? DEFAULT_CONNECTIONS,
      maxStreams: entry.max_streams ?? DEFAULT_STREAMS,
      place: context.place(path),
    });
  }
  if (upstreams.length > 0) warnOfKeys(context);
  return upstreams;
}

function refuseOthers(context: Context, path: Path): void {
  for (const key of ["tree", "args", "access_tags"]) {
    const node = at(context.root, [...path, key]);
    if (node !== undefined && !isNothing(node))
      context.problem([...path, key], "an upstream has its own trees. Remove this or 'upstream'");
  }
}

function checkPath(context: Context, path: Path, segments: readonly string[], host: string | null): void {
  const place = [...path, "path"];
  const named = at(context.root, [...path, "host"]);
  if (at(context.root, place) === undefined && (named === undefined || isNothing(named))) {
    context.problem(path, "an upstream needs a 'path' ('/' for the whole server) or a 'host' of its own");
  }
  if (segments.some((segment) => !SEGMENT.test(segment) || segment === "." || segment === "..")) {
    context.problem(
      place,
      "the path of an upstream may have only letters, digits and . _ ~ - between slashes.",
    );
  }
  const [first] = segments;
  if (first !== undefined && OURS.has(first.toLowerCase()))
    context.problem(place, `paths below '/${first}' are this server's own. Choose another one`);
  if (segments.length === 0 && host === null && nativeTrees(context)) {
    context.problem(
      place,
      "an upstream at '/' hides the trees that are served here. Give it another path or a 'host'",
    );
  }
}

function areNames(segments: readonly string[]): boolean {
  return segments.every((segment) => SEGMENT.test(segment) && segment !== "." && segment !== "..");
}

function trustedPages(
  context: Context,
  path: Path,
  pages: readonly (string | undefined)[] | null | undefined,
): readonly string[] | null {
  if (pages == null) return null;
  return pages.flatMap((page, index) => {
    if (page === undefined) return [];
    const segments = page.split("/").filter((segment) => segment !== "");
    if (!page.startsWith("/") || !areNames(segments)) {
      context.problem(
        [...path, index],
        "this is not a path of pages. Use '/' for all of the upstream, or letters, digits and . _ ~ - between slashes ('/app')",
      );
    }
    return [segments.map((segment) => `/${segment}`).join("")];
  });
}

function nativeTrees(context: Context): boolean {
  return (context.value.trees ?? []).some(
    (entry, index) =>
      entry?.tree !== undefined && !isTiledsTree(entry.tree) && !isUpstream(context, ["trees", index]),
  );
}

function sharesDatabase(context: Context, path: Path, says: boolean): boolean {
  if (says && context.value.database?.uri == null)
    context.problem([...path, "shares_database"], "no database to share: 'database.uri' is missing");
  return says;
}

function warnOfKeys(context: Context): void {
  const keys = context.value.authentication?.secret_keys ?? [];
  if (keys.length > 0) return;
  const who = hasProviders(context) ? "callers" : "the single user";
  context.warn(
    ["authentication", "secret_keys"],
    `not set, so a Tiled behind this server cannot know ${who}: give both the same keys`,
  );
}
