/**
 * `server.account_url`: a separate host for the pages for people. Its host name must differ from every name that content is
 * served under, since cookies do not tell ports apart.
 */
import { isLoopbackName } from "../lib/address.ts";
import { at, type Path } from "../yaml/located.ts";
import { hasProviders } from "./authentication.ts";
import type { Context } from "./context.ts";

const KEY: Path = ["server", "account_url"];

/** The origin, followed by the path of `public_url`, if it has one. */
export function accountUrl(context: Context): string | null {
  const { server, trees } = context.value;
  if (server?.account_url == null) return null;
  const url = new URL(server.account_url);
  const problem = (message: string) => context.problem(KEY, message);
  if (!hasProviders(context))
    problem("there are no accounts without authentication.providers. Add a provider, or remove this.");
  if (url.protocol !== "https:" && !isLoopbackName(url.hostname))
    problem("logins need HTTPS on any host but this machine. Use https://.");
  if (server.public_url == null) {
    // A wrong one is reported already.
    if (at(context.root, ["server", "public_url"]) !== undefined) return url.origin;
    problem("this needs server.public_url, the address of the data. Set it as well.");
    return url.origin;
  }
  const main = new URL(server.public_url);
  if (main.protocol === "https:" && url.protocol !== "https:")
    problem("server.public_url is https, and this is not. Use https:// for both.");
  const path = main.pathname.replace(/\/+$/, "");
  const given = url.pathname.replace(/\/+$/, "");
  if (given !== "" && given !== path)
    problem(`this is a host without a path of its own. Use '${url.origin}'.`);
  const others: readonly (readonly [string, string | null | undefined])[] = [
    ["server.public_url", main.host],
    ...(server.verify_hosts ?? []).map((host, index) => [`server.verify_hosts[${index}]`, host] as const),
    ...(trees ?? []).map((tree, index) => [`trees[${index}].host`, tree?.host] as const),
  ];
  for (const [key, host] of others) {
    if (host == null || nameOf(host) !== nameOf(url.host)) continue;
    problem(`${key} has the same host name, and cookies do not tell ports apart. Use a separate name.`);
  }
  return url.origin + path;
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
}
