/**
 * Creates and revokes API keys: the caller's own and, for administrators, those of others.
 */
import type { Authorized } from "./authorized.ts";
import { isNewKey } from "./documents.ts";
import { secondsOf } from "./expires-in.ts";
import type { NewApiKey } from "./wire.ts";

export interface NewKeyOptions {
  /** Seconds, or a number and a unit (y, d, h, m, s), e.g. `"7d"`. Default: the longest that the server allows. */
  readonly expiresIn?: number | string | null | undefined;
  /** Default: the owner's scopes at the time of use. */
  readonly scopes?: readonly string[] | null | undefined;
  /** Restricts the key to entries with one of these tags. Default: no restriction. */
  readonly accessTags?: readonly string[] | null | undefined;
  /** For people, at most 255 characters. */
  readonly note?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

export async function createKey(
  authorized: Authorized,
  path: string,
  { expiresIn, scopes, accessTags, note, signal }: NewKeyOptions,
): Promise<NewApiKey> {
  const json = {
    scopes: scopes ?? null,
    access_tags: accessTags ?? null,
    expires_in: secondsOf(expiresIn),
    note: note ?? null,
  };
  return await authorized.document(path, { method: "POST", json, signal, fits: isNewKey });
}

/** Only the first eight characters of the key are sent. */
export async function revokeKey(
  authorized: Authorized,
  path: string,
  key: string,
  { signal }: SignalOption,
): Promise<void> {
  if (key.length < 8) throw new TypeError("Pass the key, or its first eight characters.");
  await authorized.document(path, { method: "DELETE", query: { first_eight: key.slice(0, 8) }, signal });
}
