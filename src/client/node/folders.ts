/**
 * The folders of the Python client for logins and profiles, by platform (as platformdirs has them), so that both languages share
 * them.
 */
import { homedir } from "node:os";
import { join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Place {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

export function here(): Place {
  return { env: process.env, platform: process.platform, home: homedir() };
}

/** `$TILED_CACHE_DIR`, else the user's cache folder for Tiled. */
export function cacheFolder({ env, platform, home }: Place = here()): string {
  if (env["TILED_CACHE_DIR"]) return env["TILED_CACHE_DIR"];
  if (platform === "win32") return join(localAppData(env, home), "tiled", "tiled", "Cache");
  const usual = platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  return join(env["XDG_CACHE_HOME"]?.trim() || usual, "tiled");
}

/** Folders of profiles. A later one overrides an earlier one; the last is written to. */
export function profileFolders(place: Place = here()): readonly string[] {
  const { env, platform } = place;
  const site = env["TILED_SITE_PROFILES"]
    ? [env["TILED_SITE_PROFILES"]]
    : ["/etc/tiled/profiles", join(siteFolder(env, platform), "profiles")];
  return [...new Set([...site, ...userProfileFolders(place)])];
}

/** The user's own of them. */
export function userProfileFolders(place: Place = here()): readonly string[] {
  const { env, home } = place;
  if (env["TILED_PROFILES"]) return [env["TILED_PROFILES"]];
  return [...new Set([join(home, ".config", "tiled", "profiles"), join(configFolder(place), "profiles")])];
}

/** Of new profiles. A file whose name begins with a dot is not read. */
export const PROFILE_NAME: RegExp = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Of one API, below the cache folder. */
export function tokenFolderName(apiUri: string): string {
  const encode = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(apiUri)
    .replace(/[!'()*]/g, encode)
    .replaceAll("%20", "+");
}

function configFolder({ env, platform, home }: Place): string {
  if (platform === "win32") return join(localAppData(env, home), "tiled", "tiled");
  const usual = platform === "darwin" ? join(home, "Library", "Application Support") : join(home, ".config");
  return join(env["XDG_CONFIG_HOME"]?.trim() || usual, "tiled");
}

function siteFolder(env: Environment, platform: NodeJS.Platform): string {
  if (platform === "win32") return join(env["ProgramData"] ?? "C:\\ProgramData", "tiled", "tiled");
  const usual = platform === "darwin" ? "/Library/Application Support" : "/etc/xdg";
  return join(env["XDG_CONFIG_DIRS"]?.split(":")[0]?.trim() || usual, "tiled");
}

function localAppData(env: Environment, home: string): string {
  return env["LOCALAPPDATA"] ?? join(home, "AppData", "Local");
}
