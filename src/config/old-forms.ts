/**
 * Forms that Tiled's own configurations once had, and what each is written as today. `tiled config migrate` rewrites the
 * first. Values are never shown: an argument may be a password.
 */
import type { Context } from "./context.ts";
import { at, type Located } from "./located.ts";

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
    `Tiled of 2021 wrote it so; since then each way to log in has a name: providers: [{provider: ${nameOfProvider(name)}, authenticator: "${name}"${args}}]. The name becomes part of the identities in the database: take the one that is there`,
  );
}

function argsText(args: Located | undefined): string {
  if (args?.kind !== "mapping") return "";
  const keys = [...args.entries.keys()].filter((key) => /^\w{1,60}$/.test(key));
  return `, args: {${keys.map((key) => `${key}: …`).join(", ")}}`;
}

const HINTS: Readonly<Record<string, string>> = {
  catalogs: "Tiled of 2021 called it so; it is 'trees' now: [{path: /, tree: …}]",
  access_control: "older Tiled had it at each tree; it is one section for all of them now",
  access_policy: "it is access_control.access_policy now",
  mimetypes_by_file_ext:
    "readers in Python are a real Tiled's, which can stand behind this server (docs/migrating.md)",
  readers_by_mimetype:
    "readers in Python are a real Tiled's, which can stand behind this server (docs/migrating.md)",
  cache_settings: "it is 'streaming_cache' now, in the Tiled behind",
};

/** For a key that is not known where it stands. */
export function oldFormHint(key: string, root: Located): string | undefined {
  if (Object.hasOwn(HINTS, key)) return HINTS[key];
  const has = (below: string) => at(root, [key, below])?.kind === "mapping";
  if (has("direct"))
    return "this is a profile of Tiled's client; the configuration of a server is what stands below 'direct'";
  return has("config")
    ? "the values of a Helm chart? The configuration is what stands below 'config'"
    : undefined;
}
