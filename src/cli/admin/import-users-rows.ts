/**
 * Reads the files of `tiled admin user import` into rows: htpasswd's and CSV text, and the accounts of JupyterHub's
 * NativeAuthenticator. A hash that this server could not check safely is a problem of its line. Problems never quote a secret.
 */
import { LONGEST_PASSWORD } from "../../authenticators/passwords/policy.ts";
import { readHash } from "../../authenticators/passwords/stored.ts";
import { isStorableName } from "../../domain/model/storable-text.ts";
import { nameKey } from "../../domain/ports/local-accounts.ts";
import type { NativeUser } from "../../store/native-users.ts";

type RowSecret =
  | { readonly kind: "hash" | "password"; readonly text: string }
  /** Base64. */
  | { readonly kind: "sha1"; readonly text: string }
  /** The person chooses a password by a link. */
  | { readonly kind: "invitation" };

export interface Row {
  /** The place in the file, for messages. */
  readonly place: string;
  readonly name: string;
  readonly email: string | null;
  readonly secret: RowSecret;
  readonly groups: readonly string[];
  readonly disabled: boolean;
}

export interface RowProblem {
  readonly place: string;
  readonly message: string;
}

export interface Rows {
  readonly rows: readonly Row[];
  readonly problems: readonly RowProblem[];
}

type Made = Omit<Row, "place"> | { readonly problem: string };

/** Collects rows, and what is wrong with each. */
class Collected implements Rows {
  readonly rows: Row[] = [];
  readonly problems: RowProblem[] = [];
  readonly #seen = new Map<string, string>();

  add(place: string, made: Made): void {
    const problem = "problem" in made ? made.problem : this.#problemOf(made);
    if (problem !== undefined) this.problems.push({ place, message: problem });
    if ("problem" in made) return;
    if (!this.#seen.has(nameKey(made.name))) this.#seen.set(nameKey(made.name), place);
    if (problem === undefined) this.rows.push({ place, ...made });
  }

  #problemOf({ name, email, groups, secret }: Omit<Row, "place">): string | undefined {
    if (!isClean(name)) return "the name is empty, too long, or has control characters";
    if (!isStorableName(nameKey(name))) return "the name is too long";
    if (name !== name.trim() || /\p{Default_Ignorable_Code_Point}/u.test(name))
      return "the name has blanks at an end, or characters that cannot be seen";
    const before = this.#seen.get(nameKey(name));
    if (before !== undefined) return `the name is that of ${before}, or a spelling of it`;
    if (email !== null && !isClean(email)) return "the e-mail address is too long, or has control characters";
    if (!groups.every(isClean)) return "a group is too long, or has control characters";
    if (secret.kind === "password" && (secret.text.includes("\0") || !secret.text.isWellFormed()))
      return "the password is not text";
    if (secret.kind === "password" && [...secret.text].length > LONGEST_PASSWORD)
      return `the password is longer than ${LONGEST_PASSWORD} characters`;
    return undefined;
  }
}

function isClean(text: string): boolean {
  return isStorableName(text) && text.trim() !== "" && !/\p{Cc}/u.test(text);
}

const SHA1 = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/;

/** Only what is bcrypt, argon2id or scrypt is taken as it is; a SHA-1 is wrapped. */
function hashed(text: string): RowSecret | { readonly problem: string } {
  const sha1 = SHA1.exec(text)?.[1];
  if (sha1 !== undefined) return { kind: "sha1", text: sha1 };
  if (readHash(text) !== undefined) return { kind: "hash", text };
  if (/^\$(?:apr1|1)\$/.test(text))
    return { problem: "an MD5 hash, which is too weak. Make a new one: htpasswd -B" };
  if (/^\$2[abxy]\$/.test(text))
    return { problem: "a bcrypt hash that is damaged, or whose cost is over 15" };
  if (/^\$(?:argon2|scrypt)/.test(text))
    return { problem: "a hash that is damaged, or whose cost is too high" };
  return { problem: "a password in clear or a hash that is too weak. Make a new one: htpasswd -B" };
}

export function htpasswdRows(text: string): Rows {
  const all = new Collected();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const secret = hashed(line.slice(colon + 1).trim());
    const person = { name, email: null, groups: [], disabled: false };
    if (colon < 0) all.add(`line ${index + 1}`, { problem: "no colon after a name" });
    else all.add(`line ${index + 1}`, "problem" in secret ? secret : { ...person, secret });
  }
  return all;
}

const COLUMNS = ["name", "email", "password", "password_hash", "groups"] as const;

/** Columns in any order, named in the first line; groups are separated by semicolons. */
export function csvRows(text: string): Rows {
  const all = new Collected();
  const read = csvRecords(text.replace(/^\ufeff/, ""));
  if (read === null) all.add("the file", { problem: "a quote is in the wrong place, or is never closed" });
  const [header, ...records] = read ?? [];
  if (header === undefined) return all;
  const columns = header.fields.map((name) => name.trim().toLowerCase());
  const wrong = columns.find((name) => !(COLUMNS as readonly string[]).includes(name));
  if (!columns.includes("name") || wrong !== undefined || new Set(columns).size < columns.length) {
    all.add("line 1", { problem: `the first line must name the columns: some of ${COLUMNS.join(", ")}` });
    return all;
  }
  for (const { line, fields } of records) {
    if (fields.length === 1 && fields[0] === "") continue;
    const field = (name: (typeof COLUMNS)[number]) => fields[columns.indexOf(name)] ?? "";
    all.add(
      `line ${line}`,
      fields.length > columns.length ? { problem: "more fields than columns" } : csvRow(field),
    );
  }
  return all;
}

function csvRow(field: (name: (typeof COLUMNS)[number]) => string): Made {
  const [password, hash] = [field("password"), field("password_hash")];
  if (password !== "" && hash !== "") return { problem: "has both a password and a password_hash" };
  const secret = hash === "" ? chosen(password) : hashed(hash.trim());
  if ("problem" in secret) return secret;
  const groups = field("groups")
    .split(";")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const email = field("email").trim();
  return {
    name: field("name").trim(),
    email: email === "" ? null : email,
    secret,
    groups: [...new Set(groups)],
    disabled: false,
  };
}

function chosen(password: string): RowSecret {
  return password === "" ? { kind: "invitation" } : { kind: "password", text: password };
}

interface CsvRecord {
  readonly line: number;
  readonly fields: string[];
}

/** A field, in quotes or without, and what follows it. */
const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;

/** RFC 4180: fields in quotes may hold commas, line ends and doubled quotes. Null: a quote is in the wrong place. */
function csvRecords(text: string): readonly CsvRecord[] | null {
  const records: CsvRecord[] = [];
  let line = 1;
  let record: CsvRecord = { line, fields: [] };
  for (FIELD.lastIndex = 0; FIELD.lastIndex < text.length; ) {
    const [whole, value = "", end] = FIELD.exec(text) ?? [];
    if (whole === undefined) return null;
    record.fields.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    records.push(record);
    record = { line, fields: [] };
  }
  return records;
}

/** People who were not authorized there are disabled here. A second factor cannot be taken over, and is not dropped silently. */
export function nativeRows(users: readonly NativeUser[]): Rows {
  const all = new Collected();
  for (const [index, user] of users.entries()) {
    const place = `row ${index + 1}`;
    const { username, password, email } = user;
    if (typeof username !== "string" || (email !== null && typeof email !== "string")) {
      all.add(place, { problem: "the name or the e-mail address is not text" });
      continue;
    }
    if (typeof password !== "string" && !(password instanceof Uint8Array)) {
      all.add(place, { problem: "the account has no password" });
      continue;
    }
    const secret = hashed(typeof password === "string" ? password : Buffer.from(password).toString());
    const address = email?.trim() || null;
    const person = { name: username, email: address, groups: [], disabled: !user.is_authorized };
    if (user.has_2fa) all.add(place, { problem: "the account has a second factor, which is not taken over" });
    else all.add(place, "problem" in secret ? secret : { ...person, secret });
  }
  return all;
}

/** Tiled's `users_to_passwords`. */
export function dictionaryRows(users: Readonly<Record<string, string>>): Rows {
  const all = new Collected();
  for (const [name, text] of Object.entries(users)) {
    const secret = { kind: "password", text } as const;
    all.add(`users_to_passwords`, { name, email: null, secret, groups: [], disabled: false });
  }
  return all;
}
