/**
 * Argon2id (RFC 9106) and scrypt (RFC 7914) of Node, which run in libuv's threads. `crypto.argon2` exists from Node 24.7 on.
 */
import * as crypto from "node:crypto";
import { promisify } from "node:util";
import type { Argon2Cost, ScryptCost } from "./stored.ts";

export interface Derivations {
  /** Undefined where Node has none. */
  readonly argon2id:
    | ((password: Uint8Array, salt: Uint8Array, length: number, cost: Argon2Cost) => Promise<Buffer>)
    | undefined;
  scrypt(password: Uint8Array, salt: Uint8Array, length: number, cost: ScryptCost): Promise<Buffer>;
}

const scrypt = promisify<Uint8Array, Uint8Array, number, crypto.ScryptOptions, Buffer>(crypto.scrypt);

export const OF_NODE: Derivations = {
  argon2id:
    typeof crypto.argon2 === "function"
      ? async (message, nonce, tagLength, { memory, passes, parallelism }) =>
          await promisify(crypto.argon2)("argon2id", {
            message,
            nonce,
            tagLength,
            memory,
            passes,
            parallelism,
          })
      : undefined,
  scrypt: (password, salt, length, { ln, r, p }) =>
    // OpenSSL counts a little more than the table of 128 * N * r bytes.
    scrypt(password, salt, length, {
      N: 2 ** ln,
      r,
      p,
      maxmem: 128 * 2 ** ln * r + 128 * r * (p + 2) + 1_048_576,
    }),
};
