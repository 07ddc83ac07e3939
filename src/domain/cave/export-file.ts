/**
 * Checks the export of a middle_auth server: first the form of each element, then duplicates, then references. Reports all
 * problems of one kind together, each with its place. `import.ts` continues.
 */
import { foldName } from "../../lib/fold.ts";
import { printableJson } from "../../lib/printable.ts";
import type { CaveExport } from "../model/cave-import.ts";
import { isPlainText, isStorableName, isStorableText } from "../model/storable-text.ts";

/** The value of `format`. */
const FORMAT = "middle_auth/1";
/** Largest value of an integer column. */
const MAX_ID = 2_147_483_647;
/** Of a user: people who come later get larger numbers. */
const MAX_USER = 2_000_000_000;

/** Returns the value, or throws a `Wrong`. */
type Read<T> = (value: unknown) => T;

class Wrong extends Error {}

const upTo =
  (largest: number): Read<number> =>
  (value) => {
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= largest)
      return value as number;
    throw new Wrong(`must be a whole number from 1 to ${largest}`);
  };
const number = upTo(MAX_ID);
const flag: Read<boolean> = (value) => {
  if (typeof value === "boolean") return value;
  throw new Wrong("must be true or false");
};
const name: Read<string> = (value) => {
  if (typeof value === "string" && isStorableName(value) && !/\p{Cc}/u.test(value)) return value;
  throw new Wrong("must be a text of 1 to 255 characters, without control characters");
};
const short: Read<string> = (value) => {
  if (typeof value === "string" && isStorableText(value)) return value;
  throw new Wrong("must be a text of at most 255 characters, without NUL");
};
const text: Read<string> = (value) => {
  if (typeof value === "string" && value !== "" && isPlainText(value)) return value;
  throw new Wrong("must be a text that is not empty, without NUL");
};
/** A rough check, since Google has verified the address. */
const address: Read<string> = (value) => {
  if (typeof value === "string" && isStorableText(value) && /^[^\s@]+@[^\s@]+$/.test(value)) return value;
  throw new Wrong("must be an e-mail address");
};
const time: Read<Date> = (value) => {
  // PostgreSQL's timestamps have no time zone; those of middle_auth are UTC.
  const found =
    typeof value === "string" ? /^(\d{4}-\d\d-\d\d)[T ]([\d:.]+)(?:Z|\+00:?00)?$/.exec(value) : null;
  const date = new Date(`${found?.[1]}T${found?.[2]}Z`);
  if (found !== null && !Number.isNaN(date.getTime())) return date;
  throw new Wrong("must be a time like 2024-01-31T12:00:00 (UTC)");
};
const digits =
  (length: number, what: string): Read<string> =>
  (value) => {
    if (typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value)) return value;
    throw new Wrong(`must be ${what}: ${length} lower-case hexadecimal digits`);
  };
const nullable =
  <T>(read: Read<T>): Read<T | null> =>
  (value) =>
    value === null ? null : read(value);

/** The fields of each list. */
const FORMS: { readonly [List in keyof CaveExport]: Readonly<Record<string, Read<unknown>>> } = {
  users: {
    id: upTo(MAX_USER),
    name,
    email: nullable(address),
    admin: flag,
    parent_id: nullable(number),
    read_only: flag,
    created: nullable(time),
  },
  tokens: {
    user_id: number,
    first_eight: digits(8, "the start of the token"),
    sha256: digits(64, "the hash of a token, which has 32 hexadecimal digits"),
    description: nullable(short),
    created: nullable(time),
    last_used: nullable(time),
  },
  groups: { id: number, name },
  members: { user_id: number, group_id: number, admin: flag },
  datasets: { id: number, name, tos_id: nullable(number) },
  dataset_admins: { user_id: number, dataset_id: number },
  permissions: { group_id: number, dataset_id: number, permission_id: number, permission: name },
  tables: { service: name, table: name, dataset_id: number },
  tos: { id: number, name, text },
  accepted: { user_id: number, tos_id: number, time: nullable(time) },
  apps: { url: text },
};

export interface ExportProblem {
  /** E.g. `users[3].email`; empty for the file as a whole. */
  readonly place: string;
  readonly message: string;
}

export type ExportReading =
  | { readonly kind: "valid"; readonly file: CaveExport }
  | { readonly kind: "invalid"; readonly problems: readonly ExportProblem[] };

/** Reads parsed JSON. `caseSensitive`: whether e-mail addresses that differ only in case are different people. */
export function readExport(
  json: unknown,
  { caseSensitive }: { readonly caseSensitive: boolean },
): ExportReading {
  const problems: ExportProblem[] = [];
  const problem = (place: string, message: string) => problems.push({ place, message });
  const file = formOf(json, problem);
  if (problems.length === 0) findRepeated(file, caseSensitive, problem);
  if (problems.length === 0) findUnknown(file, problem);
  return problems.length === 0 ? { kind: "valid", file } : { kind: "invalid", problems };
}

type Problem = (place: string, message: string) => void;

function formOf(json: unknown, problem: Problem): CaveExport {
  const found: Record<string, unknown[]> = {};
  if (!isObject(json)) {
    problem("", "must be a JSON object, as the query of docs/how-to/from-middle-auth.md makes it");
    return found as never;
  }
  if (json["format"] !== FORMAT) problem("format", `must be "${FORMAT}"`);
  for (const key of Object.keys(json)) {
    if (key !== "format" && !Object.hasOwn(FORMS, key)) problem(placeOf(key), "is not a list of an export");
  }
  for (const [list, form] of Object.entries(FORMS)) {
    const items = json[list];
    if (Array.isArray(items)) {
      found[list] = items.map((item: unknown, index) => elementOf(item, form, `${list}[${index}]`, problem));
    } else problem(list, items === undefined ? "is missing" : "must be a list");
  }
  return found as never;
}

function elementOf(
  item: unknown,
  form: Readonly<Record<string, Read<unknown>>>,
  place: string,
  problem: Problem,
): Record<string, unknown> {
  const element: Record<string, unknown> = {};
  if (!isObject(item)) {
    problem(place, "must be an object");
    return element;
  }
  for (const key of Object.keys(item)) {
    // A value is never shown: it may be a token.
    if (!Object.hasOwn(form, key)) problem(`${place}.${placeOf(key)}`, "is not a known field");
  }
  for (const [key, read] of Object.entries(form)) {
    if (!Object.hasOwn(item, key)) {
      problem(`${place}.${key}`, "is missing");
      continue;
    }
    try {
      element[key] = read(item[key]);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      problem(`${place}.${key}`, error.message);
    }
  }
  return element;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A key of the file, short and in one line. */
function placeOf(key: string): string {
  return /^\w{1,60}$/.test(key) ? key : printableJson(JSON.stringify(key.slice(0, 60)));
}

function findRepeated(file: CaveExport, caseSensitive: boolean, problem: Problem): void {
  const once = <Element>(
    list: keyof CaveExport,
    elements: readonly Element[],
    field: string,
    keyOf: (element: Element) => string | number | null,
    what = "is the same as that of",
  ) => {
    const first = new Map<string | number, number>();
    for (const [index, element] of elements.entries()) {
      const key = keyOf(element);
      const known = key === null ? undefined : first.get(key);
      if (known !== undefined) problem(`${list}[${index}]${field}`, `${what} ${list}[${known}]`);
      else if (key !== null) first.set(key, index);
    }
  };
  const { users, tokens, groups, members, datasets, tos } = file;
  once("users", users, ".id", ({ id }) => id);
  once("users", users, ".email", ({ email }) => email);
  const emails = users.flatMap(({ email }) => email ?? []);
  if (!caseSensitive && new Set(emails).size === emails.length) {
    once(
      "users",
      users,
      ".email",
      ({ email }) => email && foldName(email),
      "differs only in case, or in the form of its letters, from that of",
    );
  }
  once("tokens", tokens, ".sha256", ({ sha256 }) => sha256);
  once("tokens", tokens, ".first_eight", (token) => `${token.user_id} ${token.first_eight}`);
  once("groups", groups, ".id", ({ id }) => id);
  once("groups", groups, ".name", (group) => group.name);
  once("datasets", datasets, ".id", ({ id }) => id);
  once("datasets", datasets, ".name", (dataset) => dataset.name);
  once("tos", tos, ".id", ({ id }) => id);
  const same = "repeats";
  once("members", members, "", ({ user_id, group_id }) => `${user_id} ${group_id}`, same);
  once("dataset_admins", file.dataset_admins, "", (row) => `${row.user_id} ${row.dataset_id}`, same);
  once(
    "permissions",
    file.permissions,
    "",
    (row) => `${row.group_id} ${row.dataset_id} ${row.permission_id}`,
    same,
  );
  once("tables", file.tables, "", (row) => JSON.stringify([row.service, row.table]), same);
  once("accepted", file.accepted, "", ({ user_id, tos_id }) => `${user_id} ${tos_id}`, same);
}

function findUnknown(file: CaveExport, problem: Problem): void {
  const ids = (elements: readonly { readonly id: number }[]) => new Set(elements.map(({ id }) => id));
  const [users, groups, datasets, tos] = [file.users, file.groups, file.datasets, file.tos].map(ids);
  const known = (list: keyof CaveExport, field: string, all: ReadonlySet<number> | undefined, of: string) => {
    for (const [index, element] of file[list].entries()) {
      const id = (element as unknown as Readonly<Record<string, number | null>>)[field];
      if (typeof id !== "number" || all?.has(id)) continue;
      problem(`${list}[${index}].${field}`, `names the ${of} ${id}, which is not in the file`);
    }
  };
  known("users", "parent_id", users, "user");
  known("tokens", "user_id", users, "user");
  known("members", "user_id", users, "user");
  known("members", "group_id", groups, "group");
  known("datasets", "tos_id", tos, "terms of service");
  known("dataset_admins", "user_id", users, "user");
  known("dataset_admins", "dataset_id", datasets, "dataset");
  known("permissions", "group_id", groups, "group");
  known("permissions", "dataset_id", datasets, "dataset");
  known("tables", "dataset_id", datasets, "dataset");
  known("accepted", "user_id", users, "user");
  known("accepted", "tos_id", tos, "terms of service");
  for (const [index, { email, parent_id, id }] of file.users.entries()) {
    if (parent_id === id) problem(`users[${index}].parent_id`, "is the account itself");
    if (parent_id === null && email === null)
      problem(`users[${index}].email`, "is missing: this is a person");
  }
}
