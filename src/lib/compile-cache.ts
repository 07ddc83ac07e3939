/**
 * Where Node.js keeps compiled code between starts. Its own choice is a folder of a known name in the system's temporary folder,
 * where another user of the machine can put code first. This one is in the user's own cache folder, and is taken only if no
 * other user can write there. Must load in an old Node.js: see `node-version.ts`.
 */
import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import module from "node:module";
import { dirname, isAbsolute, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

const WRITABLE_BY_OTHERS = 0o022;
/** In a folder with this bit users cannot rename or replace what others own. */
const STICKY = 0o1000;

/**
 * The folder of compiled code, made if needed; null without a folder that only `uid` and root can write.
 * @param uid - the user of this process; Windows has none, and gets no folder
 */
export function compileCacheFolder(env: Environment, uid: number | undefined): string | null {
  const folder = wanted(env);
  if (uid === undefined || folder === null) return null;
  try {
    // Not recursively: where a file system makes no folders (/proc, automounted homes), Node.js would try forever.
    for (const path of [dirname(folder), folder]) {
      if (existsSync(path)) continue;
      // Root may have the HOME of the user who called sudo, where its folders would be in the way.
      if (!isOnlyOurs(realpathSync(dirname(path)), uid)) return null;
      mkdirSync(path, { mode: 0o700 });
    }
    const real = realpathSync(folder);
    return isOnlyOurs(real, uid) ? real : null;
  } catch {
    return null; // e.g. a read-only file system: the start is slower
  }
}

/** For this process, its threads and its child processes. `NODE_COMPILE_CACHE` outranks it, and `NODE_DISABLE_COMPILE_CACHE`. */
export function keepCompiledCode(): void {
  if (process.env["NODE_COMPILE_CACHE"] || process.env["NODE_DISABLE_COMPILE_CACHE"]) return;
  const folder = compileCacheFolder(process.env, process.getuid?.());
  if (folder === null) return;
  module.enableCompileCache(folder);
  process.env["NODE_COMPILE_CACHE"] = folder;
}

/** Node.js writes it only at an orderly end, which a server that is killed never has. Writes nothing that is there already. */
export function saveCompiledCode(): void {
  if (module.getCompileCacheDir() !== undefined) module.flushCompileCache();
}

/** systemd sets CACHE_DIRECTORY for a unit with `CacheDirectory=`. */
function wanted(env: Environment): string | null {
  const { CACHE_DIRECTORY: unit, XDG_CACHE_HOME: user, HOME: home } = env;
  const [own = ""] = unit?.split(":") ?? [];
  if (isAbsolute(own)) return join(own, "compiled");
  if (user !== undefined && isAbsolute(user)) return join(user, "tiled-auth");
  return home !== undefined && isAbsolute(home) ? join(home, ".cache", "tiled-auth") : null;
}

function isOnlyOurs(folder: string, uid: number): boolean {
  for (let path = folder; ; path = dirname(path)) {
    const { uid: owner, mode } = statSync(path);
    const shared = (mode & WRITABLE_BY_OTHERS) !== 0 && (path === folder || (mode & STICKY) === 0);
    if (shared || (owner !== uid && owner !== 0)) return false;
    if (path === dirname(path)) return true;
  }
}
