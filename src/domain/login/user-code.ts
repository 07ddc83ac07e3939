/**
 * User codes (RFC 8628, section 6.1): eight characters that a person reads on one screen and types on another. They are
 * hexadecimal, as Tiled's database and clients expect, without the look-alikes 0, 1, B and D.
 */
import { randomInt } from "node:crypto";

const ALPHABET = "23456789ACEF";
const LENGTH = 8;

/** Likely misreadings of our characters. */
const LOOK_ALIKES: Readonly<Record<string, string>> = { B: "8", G: "6", S: "5", Z: "2" };

export function newUserCode(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** `XXXX-XXXX`. */
export function showUserCode(code: string): string {
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/** Accepts any case, dashes and spaces. */
export function readUserCode(typed: string): string {
  return typed
    .replace(/[\s\p{Pd}]/gu, "")
    .toUpperCase()
    .replace(/[BGSZ]/g, (character) => LOOK_ALIKES[character] ?? character);
}
