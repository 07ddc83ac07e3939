/**
 * Asks an http address once for a redirect to https on the same host, before anything secret is sent, as the Python client does.
 * Only in Node, since browsers hide the target of a redirect.
 */
import { httpUrlOf } from "../address.ts";
import { type ConnectOptions, transportOf } from "../parts.ts";

export async function secureAddress(uri: string | URL, options: ConnectOptions): Promise<URL> {
  const given = httpUrlOf(uri);
  if (given.protocol === "https:") return given;
  const asked = new URL(given);
  asked.search = "";
  const { response } = await transportOf(options).send({
    url: asked.href,
    init: { redirect: "manual", credentials: "omit" },
    repeat: "always",
    signal: options.signal,
  });
  void response.body?.cancel().catch(() => {});
  const location = response.headers.get("location") ?? "";
  if (response.status < 300 || response.status > 399 || !URL.canParse(location)) return given;
  const target = new URL(location);
  if (target.protocol !== "https:" || target.hostname !== given.hostname) return given;
  target.search = given.search;
  return target;
}
