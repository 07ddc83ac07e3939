/**
 * Old forms of Tiled's configurations, and the current form of each. `tiled config migrate` rewrites the first. Messages never
 * show a value: an argument may be a password.
 */

import { at, type Located } from "../yaml/located.ts";
import type { Context } from "./context.ts";

/** The name that `tiled config migrate` gives a provider that has none. */
export function nameOfProvider(authenticator: string): string {
  const bare = authenticator.split(/[.:]/).at(-1) ?? "";
  return (
    bare
      .replace(/Authenticator$/, "")
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, "") || "local"
  );
}

/** `authentication: {authenticator, args}`, before providers had names (Tiled of 2021). */
export function reportOldAuthentication(context: Context): void {
  const { root } = context;
  const old = ["authenticator", "args"].filter((key) => at(root, ["authentication", key]) !== undefined);
  const [first] = old;
  if (first === undefined) return;
  const authenticator = at(root, ["authentication", "authenticator"]);
  const known =
    authenticator?.kind === "scalar" && /^[\w.]{1,100}:[\w.]{1,60}$/.test(String(authenticator.value));
  const name = known ? String(authenticator.value) : "tiled.authenticators:PAMAuthenticator";
  const args = argsText(at(root, ["authentication", "args"]));
  context.problem(
    ["authentication", first],
    `this form is from Tiled of 2021. Use providers: [{provider: ${nameOfProvider(name)}, authenticator: "${name}"${args}}]. The provider's name is part of the identities in the database: keep the name that an existing database has`,
  );
}

function argsText(args: Located | undefined): string {
  if (args?.kind !== "mapping") return "";
  const keys = [...args.entries.keys()].filter((key) => /^\w{1,60}$/.test(key));
  return `, args: {${keys.map((key) => `${key}: …`).join(", ")}}`;
}

const HINTS: Readonly<Record<string, string>> = {
  catalogs: "this form is from Tiled of 2021; use trees: [{path: /, tree: …}]",
  access_control:
    "a policy of one tree is from an older Tiled; use one section 'access_control' for all trees",
  access_policy: "use access_control.access_policy",
  mimetypes_by_file_ext: "readers in Python need a real Tiled behind this server (docs/how-to/migrating.md)",
  readers_by_mimetype: "readers in Python need a real Tiled behind this server (docs/how-to/migrating.md)",
  cache_settings: "use 'streaming_cache' in the configuration of the Tiled behind",
};

/** Advice about a key that is unknown in its section. */
export function oldFormHint(key: string, root: Located): string | undefined {
  if (Object.hasOwn(HINTS, key)) return HINTS[key];
  const has = (below: string) => at(root, [key, below])?.kind === "mapping";
  if (has("direct"))
    return "this looks like a profile of Tiled's client; the server's configuration is the part below 'direct'";
  return has("config")
    ? "this looks like the values of a Helm chart; the configuration is the part below 'config'"
    : undefined;
}
