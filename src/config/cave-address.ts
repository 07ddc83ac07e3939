/**
 * `cave.server_address`: the base of every link that CAVE's clients follow. They put `/auth`, `/sticky_auth` and `/auth_info`
 * behind it themselves.
 */
import { isLoopbackName } from "../lib/address.ts";
import type { Path } from "../yaml/located.ts";
import type { Context } from "./context.ts";
import type { ServerConfig } from "./model.ts";

const KEY: Path = ["cave", "server_address"];
/** What clients put behind the address, at the end of one that was copied from a client's setting. */
const CLIENTS_OWN = /\/(?:auth_info|(?:sticky_)?auth(?:\/.*)?)$/;

/** Without a slash at the end. */
export function serverAddress(context: Context, server: ServerConfig): string {
  const { accountUrl, rootPath } = server;
  const given = context.value.cave?.server_address;
  // A missing or wrong one is reported already.
  if (given === undefined) return "";
  const url = new URL(given);
  const problem = (message: string) => context.problem(KEY, message);
  const path = pathOf(url);
  const wrong = addressProblems(url);
  for (const message of wrong) problem(message);
  if (wrong.length === 0 && path !== "" && path !== rootPath) warnOfPath(context, path, server);
  if (accountUrl !== null && nameOf(new URL(accountUrl)) === nameOf(url)) {
    problem(
      "this is the host of server.account_url, which serves the account pages only. Use another host name.",
    );
  }
  return url.origin + path;
}

/** Problems of the address alone. `tiled admin import-cave` refuses the same ones. */
export function addressProblems(url: URL): readonly string[] {
  const path = pathOf(url);
  const base = path.replace(CLIENTS_OWN, "");
  return [
    ...(url.protocol !== "https:" && !isLoopbackName(url.hostname)
      ? ["tokens need HTTPS on any host but this machine. Use https://."]
      : []),
    ...(base !== path
      ? [`clients add ${path.slice(base.length)} to it themselves. Use '${url.origin}${base}'.`]
      : /\/\/|%/.test(path)
        ? ["must not contain '//' or '%' in its path, since clients build addresses on it as text."]
        : []),
  ];
}

/** Without a slash at the end. */
function pathOf({ pathname }: URL): string {
  return pathname.replace(/\/+$/, "");
}

/** It can work, with a proxy that removes the path. */
function warnOfPath(context: Context, path: string, { rootPath, publicUrl }: ServerConfig): void {
  if (rootPath !== "") {
    context.warn(
      KEY,
      `its path '${path}' is not uvicorn.root_path ('${rootPath}'): the proxy has to remove it from requests`,
    );
  } else if (publicUrl === null) {
    context.warn(
      KEY,
      `providers send people back to an address without its path '${path}': set uvicorn.root_path or server.public_url`,
    );
  }
}

/** Without port, since cookies do not tell ports apart. */
function nameOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, "");
}
