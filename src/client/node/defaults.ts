/**
 * Default options in Node: `TILED_API_KEY`, `TILED_RETRY_ATTEMPTS`, `TILED_RETRY_TIMEOUT` (seconds), and the store on disk.
 */
import type { ConnectOptions } from "../parts.ts";
import type { RetryOptions } from "../transport.ts";
import { FileStore } from "./file-store.ts";
import type { Environment } from "./folders.ts";

/** A key in the address replaces that of the environment. */
export function withDefaults(
  options: ConnectOptions,
  keyInAddress: boolean,
  env: Environment = process.env,
): ConnectOptions {
  const { apiKey, retry, store } = options;
  return {
    ...options,
    apiKey: apiKey === undefined && !keyInAddress ? env["TILED_API_KEY"] || null : apiKey,
    retry: retry === false ? false : { ...retryOf(env), ...retry },
    store: store ?? new FileStore(),
  };
}

function retryOf(env: Environment): RetryOptions {
  const attempts = numberOf(env["TILED_RETRY_ATTEMPTS"]);
  const seconds = numberOf(env["TILED_RETRY_TIMEOUT"]);
  return {
    ...(attempts !== null && { attempts }),
    ...(seconds !== null && { timeout: seconds * 1000 }),
  };
}

function numberOf(text: string | undefined): number | null {
  const number = Number(text || Number.NaN);
  return Number.isFinite(number) ? number : null;
}
