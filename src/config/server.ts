/**
 * The server's settings, from our section `server`, from `uvicorn` and from the command line. A setting that stands in both
 * sections must be the same in both.
 */

import { formatProblem } from "../yaml/formats.ts";
import { pathText } from "../yaml/located.ts";
import { shownText } from "../yaml/shown.ts";
import { accountUrl } from "./account-url.ts";
import { type Context, placeText } from "./context.ts";
import { FORMATS, splitAddresses } from "./formats.ts";
import type { ServerConfig } from "./model.ts";

type Key = readonly string[];
type Given<Value> = Value | null | undefined;

export function serverConfig(context: Context): ServerConfig {
  const { server, uvicorn } = context.value;
  const host = either(context, ["server", "host"], server?.host, ["uvicorn", "host"], uvicorn?.host);
  const port = either(context, ["server", "port"], server?.port, ["uvicorn", "port"], uvicorn?.port);
  return {
    host: commandHost(context) ?? host ?? "127.0.0.1",
    port: commandPort(context) ?? port ?? 8000,
    publicUrl: server?.public_url == null ? null : normalUrl(server.public_url),
    accountUrl: accountUrl(context),
    trustedProxies: trustedProxies(context),
    tls: tls(context),
    hosts: (server?.hosts ?? []).flatMap((host) => host?.toLowerCase() ?? []),
    verifyHosts: (server?.verify_hosts ?? []).flatMap((host) => host?.toLowerCase() ?? []),
    bodyLimit: server?.body_limit ?? 65_536,
    headerLimit: server?.header_limit ?? 32_768,
    rootPath: normalPath(uvicorn?.root_path ?? ""),
  };
}

function either<Value>(
  context: Context,
  ours: Key,
  our: Given<Value>,
  theirs: Key,
  their: Given<Value>,
): Value | undefined {
  if (our != null && their != null && JSON.stringify(our) !== JSON.stringify(their)) {
    const other = `${pathText(ours)} (${placeText(context.spot(ours))})`;
    context.problem(theirs, `contradicts ${other}, which means the same. Remove one of them.`);
  }
  return our ?? their ?? undefined;
}

function commandHost({ overrides, problems }: Context): string | undefined {
  const { host } = overrides;
  const wrong = host === undefined ? undefined : formatProblem(FORMATS["host-name"], host, shownText(host));
  if (wrong !== undefined) problems.add({ file: "option --host", line: 0 }, [], wrong);
  return host;
}

function commandPort({ overrides, problems }: Context): number | undefined {
  const { port } = overrides;
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535)) return port;
  problems.add(
    { file: "option --port", line: 0 },
    [],
    `must be a whole number from 0 to 65535, not ${port}.`,
  );
  return undefined;
}

function trustedProxies(context: Context): readonly string[] {
  const { server, uvicorn } = context.value;
  const ours = addresses(server?.trusted_proxies);
  const theirs = uvicorn?.proxy_headers === false ? [] : addresses(uvicorn?.forwarded_allow_ips);
  const said = either(
    context,
    ["server", "trusted_proxies"],
    ours?.toSorted(),
    ["uvicorn", uvicorn?.proxy_headers === false ? "proxy_headers" : "forwarded_allow_ips"],
    theirs?.toSorted(),
  );
  if (said === undefined && uvicorn?.proxy_headers === true) {
    context.warn(["uvicorn", "proxy_headers"], "no proxy is trusted until server.trusted_proxies names it");
  }
  const all = ours ?? theirs ?? [];
  return all.includes("*") ? ["*"] : all;
}

/** From a list or a text with commas, without duplicates. */
function addresses(given: Given<string | readonly string[]>): readonly string[] | undefined {
  if (given == null) return undefined;
  const list = typeof given === "string" ? splitAddresses(given) : given;
  return [...new Set(list.filter((item) => item !== undefined))];
}

function tls(context: Context): ServerConfig["tls"] {
  const { server, uvicorn } = context.value;
  const cert = either(
    context,
    ["server", "tls", "cert"],
    server?.tls?.cert,
    ["uvicorn", "ssl_certfile"],
    uvicorn?.ssl_certfile,
  );
  const key = either(
    context,
    ["server", "tls", "key"],
    server?.tls?.key,
    ["uvicorn", "ssl_keyfile"],
    uvicorn?.ssl_keyfile,
  );
  if (cert === undefined) {
    if (uvicorn?.ssl_keyfile != null)
      context.problem(
        ["uvicorn", "ssl_keyfile"],
        "there is a key but no certificate. Add uvicorn.ssl_certfile.",
      );
    return null;
  }
  // One PEM file may hold both.
  return { cert, key: key ?? cert };
}

function normalUrl(url: string): string {
  return new URL(url).href.replace(/\/+$/, "");
}

/** "" or "/prefix". */
function normalPath(path: string): string {
  const inner = path.replace(/^\/+|\/+$/g, "");
  return inner === "" ? "" : `/${inner}`;
}
