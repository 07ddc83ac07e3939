/**
 * Lets one program at a time refresh a shared login, if the platform has locks. Waits ten seconds at most and then goes on without,
 * since the server accepts the same refresh token twice.
 */
import type { TokenStore } from "./store.ts";

/** Milliseconds. */
const PATIENCE = 10_000;

interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>): Promise<T>;
}

export async function underLock<T>(store: TokenStore, apiUri: string, work: () => Promise<T>): Promise<T> {
  if (store.lock !== undefined) return await store.lock(apiUri, work);
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: Locks } };
  if (navigator?.locks === undefined) return await work();
  let begun = false;
  const once = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(`tiled ${apiUri}`, { signal: AbortSignal.timeout(PATIENCE) }, once);
  } catch (error) {
    if (begun) throw error;
    return await work();
  }
}
