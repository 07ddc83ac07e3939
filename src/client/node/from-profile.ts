/**
 * Turns a profile into options of a context.
 */
import type { ContextOptions } from "../context.ts";
import { here, type Place } from "./folders.ts";
import { readProfiles } from "./profiles.ts";

interface ProfileServer {
  readonly uri: string;
  readonly options: ContextOptions;
}

/** @throws TypeError for an unknown profile, and for one that starts a server in Python (`direct`). */
export async function profileOptions(name: string, place: Place = here()): Promise<ProfileServer> {
  const { profiles, problems } = await readProfiles(place);
  const content = profiles.get(name)?.content;
  if (content === undefined) {
    const names = [...profiles.keys()].join(", ") || "none";
    throw new TypeError(
      [`There is no profile ${JSON.stringify(name)}; there are: ${names}.`, ...problems].join(" "),
    );
  }
  const server = await serverOfProfile(content);
  if (server === null)
    throw new TypeError(`Profile ${JSON.stringify(name)} has no server but starts one in Python (direct).`);
  return server;
}

/** Null for a profile that starts a server in Python (`direct`). */
export async function serverOfProfile(
  content: Readonly<Record<string, unknown>>,
): Promise<ProfileServer | null> {
  const { uri, headers, timeout, verify } = content;
  if (typeof uri !== "string") return null;
  const seconds = Number((timeout as { readonly read?: unknown } | undefined)?.read);
  return {
    uri,
    options: {
      ...(headers !== undefined && { headers: textsOf(headers as object) }),
      ...(seconds > 0 && { timeout: seconds * 1000 }),
      ...(verify === false && { fetch: await unverified() }),
    },
  };
}

function textsOf(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** `verify: false` accepts any certificate. */
async function unverified(): Promise<typeof fetch> {
  const undici = await import("undici");
  const dispatcher = new undici.Agent({ connect: { rejectUnauthorized: false } });
  const send = undici.fetch as unknown as (input: unknown, init: object) => Promise<Response>;
  return async (input, init = {}) => {
    const form = init.body instanceof FormData ? await encoded(init.body, init.headers) : {};
    return await send(input, { ...init, ...form, dispatcher });
  };
}

/** undici would take the platform's form for an object of another kind, and send `[object FormData]`. */
async function encoded(form: FormData, given: RequestInit["headers"]): Promise<RequestInit> {
  const multipart = new Response(form);
  const headers = new Headers(given);
  headers.set("content-type", multipart.headers.get("content-type") ?? "");
  return { headers, body: await multipart.arrayBuffer() };
}
