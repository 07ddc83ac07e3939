/**
 * The answers to the questions of `tiled init`, and their texts: an option and a line on a terminal are read in the same way.
 * A text that does not fit is a `WrongAnswer`, which says why.
 */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { parseDatabaseUri } from "../../database-uri/database-uri.ts";
import { OperatorError } from "../../errors.ts";
import { isLoopbackName } from "../../lib/address.ts";
import { namesVariable } from "../../yaml/interpolate.ts";

/** Commander's own error would repeat the text, in which a person may have written a password. */
export class WrongAnswer extends OperatorError {
  constructor(message: string) {
    super(message, 2);
  }
}

/** `single-user` and `public` have no logins. */
const WHO = ["single-user", "public", "private", "mixed"] as const;
export type Who = (typeof WHO)[number];

const PROVIDERS = ["passwords", "pam", "orcid", "google"] as const;
export type OpenIdProvider =
  | { readonly kind: "orcid" | "google" }
  /** Another issuer; the address of its discovery document. */
  | { readonly kind: "issuer"; readonly wellKnown: string };
export type Provider = { readonly kind: "passwords" | "pam" } | OpenIdProvider;

export type Data =
  | { readonly kind: "example" }
  /** An absolute path. */
  | { readonly kind: "folder"; readonly path: string }
  /** A Tiled server behind this one. */
  | { readonly kind: "tiled"; readonly url: string };

export type Address =
  /** `url`: for people. */
  | { readonly kind: "local"; readonly port: number; readonly url: string }
  | { readonly kind: "public"; readonly url: string };

export type Database =
  | { readonly kind: "sqlite" }
  /** With `$PGPASSWORD` in the place of a password. */
  | { readonly kind: "postgresql"; readonly uri: string };

export interface Logins {
  readonly provider: Provider;
  /** The administrator's ID at the provider, if it is known. */
  readonly admin: string | null;
  readonly database: Database;
}

export interface Answers {
  readonly who: Who;
  /** Null without logins. */
  readonly logins: Logins | null;
  readonly data: Data;
  readonly address: Address;
}

export function hasLogins(who: Who): boolean {
  return who === "private" || who === "mixed";
}

export function whoOf(text: string): Who {
  const who = WHO.find((name) => name === text.toLowerCase());
  if (who === undefined) throw new WrongAnswer(`Choose one of ${WHO.join(", ")}.`);
  return who;
}

const DISCOVERY = "/.well-known/openid-configuration";

export function providerOf(text: string): Provider {
  const kind = PROVIDERS.find((name) => name === text.toLowerCase());
  if (kind !== undefined) return { kind };
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new WrongAnswer(
      `Choose one of ${PROVIDERS.join(", ")}, or enter the address of a provider, such as https://keycloak.example.org/realms/lab.`,
    );
  if (url.protocol === "http:" && !isLoopbackName(url.hostname))
    throw new WrongAnswer("The address of a provider begins with https://.");
  const path = plainAddress(url, text).pathname.replace(/\/+$/, "");
  return { kind: "issuer", wellKnown: url.origin + (path.endsWith(DISCOVERY) ? path : path + DISCOVERY) };
}

export function dataOf(text: string): Data {
  if (text === "example") return { kind: "example" };
  if (/^https?:\/\//i.test(text)) {
    const url = plainAddress(URL.parse(text), text);
    return { kind: "tiled", url: url.href.replace(/(?:\/api(?:\/v1)?)?\/*$/, "") };
  }
  // A shell replaces `~` in an option, but not in a line that is typed here.
  const path = resolve(text.replace(/^~(?=$|[/\\])/, () => homedir()));
  if (!isFolder(path))
    throw new WrongAnswer(
      `There is no folder ${path}. Enter 'example', a folder, or the address of a Tiled server, such as http://127.0.0.1:8001.`,
    );
  return { kind: "folder", path: writable(path) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

const PORT = 8000;

export function addressOf(text: string): Address {
  if (text === "local") return { kind: "local", port: PORT, url: `http://127.0.0.1:${PORT}` };
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new WrongAnswer("Enter 'local', or an address such as https://tiled.example.org.");
  if (plainAddress(url, text).pathname !== "/")
    throw new WrongAnswer("Enter the address without a path; docs/how-to/https.md adds one.");
  if (url.protocol === "https:") return { kind: "public", url: url.origin };
  if (url.hostname !== "localhost" && url.hostname !== "127.0.0.1")
    throw new WrongAnswer(
      "Other machines need https://, or passwords travel unencrypted. http:// is for localhost and 127.0.0.1.",
    );
  return { kind: "local", port: url.port === "" ? 80 : Number(url.port), url: url.origin };
}

/** The place of the password is filled by the variable. */
const USER = /^([a-z+]+:\/\/[^/@:?]+)@/i;

export function databaseOf(text: string): Database {
  if (text === "sqlite") return { kind: "sqlite" };
  const given = text === "postgresql" ? "postgresql://tiled@localhost:5432/tiled" : text;
  if (!/^postgres(?:ql)?(?:\+\w+)?:\/\//i.test(given))
    throw new WrongAnswer(
      "Enter 'sqlite', 'postgresql', or an address such as postgresql://tiled@db.example.org:5432/tiled.",
    );
  try {
    const address = parseDatabaseUri(given);
    const secret = address.kind === "postgresql" ? address.password : undefined;
    if (secret !== undefined && !namesVariable(secret))
      throw new WrongAnswer("Leave the password out; it goes into the file with the secrets, as PGPASSWORD.");
  } catch (error) {
    if (error instanceof WrongAnswer || !(error instanceof OperatorError)) throw error;
    throw new WrongAnswer(error.message);
  }
  return { kind: "postgresql", uri: given.replace(USER, (_, user) => `${user}:\${PGPASSWORD}@`) };
}

export function adminOf(text: string): string {
  if (!/^[\w.@:/+-]{1,255}$/.test(text)) throw new WrongAnswer("Use letters, digits and . _ - @ : / + only.");
  return text;
}

function plainAddress(url: URL | null, text: string): URL {
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new WrongAnswer(
      "Enter an address without a user name, a query (?) or a fragment (#), such as https://tiled.example.org.",
    );
  writable(text);
  return url;
}

/** A configuration has no way to write a dollar sign before a name. */
function writable(text: string): string {
  if (namesVariable(text)) throw new WrongAnswer("A configuration would read '$' as a variable.");
  return text;
}
