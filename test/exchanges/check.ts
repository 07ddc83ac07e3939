/**
 * One answer against what is known of it: status, headers, cookies and body, and what holds for every answer.
 */
import { hash } from "node:crypto";
import { decode } from "@msgpack/msgpack";
import { tableFromIPC } from "apache-arrow";
import { type Answer, type Exchange, readShapes } from "./exchange.ts";
import { differences, type Pattern, sameText, type Vocabulary } from "./matcher.ts";

export interface Answered {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

interface Side {
  readonly side: "reference" | "ours";
  readonly base: string;
  /** The provider that stands in for the ones elsewhere. */
  readonly other: string | null;
}

export function problemsOf(exchange: Exchange, answered: Answered, side: Side): string[] {
  const answer = expand((side.side === "ours" ? exchange.ours : undefined) ?? exchange.answer ?? {});
  const words = vocabulary(side);
  return [
    ...statusProblems(answer, answered),
    ...headerProblems(answer, answered, words),
    ...csrfProblems(exchange, answered),
    ...cookieProblems(answer, answered, words),
    ...bodyProblems(answer, answered, words, side),
  ];
}

/** The short forms of an answer, spelled out. */
function expand(answer: Answer): Answer {
  const { missing, had = [], detail, ...rest } = answer;
  if (detail !== undefined) return { ...rest, json: { detail } };
  if (missing === undefined) return answer;
  const scopes = typeof had === "string" ? had : had.map((scope) => `'${scope}'`).join(", ");
  return {
    ...rest,
    status: 401,
    headers: { "www-authenticate": `Bearer scope="${missing}"`, "x-tiled-root": "<base>/api/v1" },
    json: {
      detail: `Not enough permissions. Requires scopes ['${missing}']. Request had scopes [${scopes}]`,
    },
  };
}

function statusProblems({ status }: Answer, answered: Answered): string[] {
  const allowed = status === undefined ? [] : [status].flat();
  if (allowed.length === 0 || allowed.includes(answered.status)) return [];
  return [
    `status: expected ${allowed.join(" or ")}, got ${answered.status} ${answered.body.toString().slice(0, 300)}`,
  ];
}

function headerProblems({ headers = {} }: Answer, answered: Answered, words: Vocabulary): string[] {
  const expected: Record<string, string | null> = { ...headers, "x-tiled-request-id": "<request id>" };
  return Object.entries(expected).flatMap(([name, pattern]) => {
    const value = answered.headers[name];
    if (pattern === null ? value === undefined : value !== undefined && sameText(pattern, value, words))
      return [];
    return [`${name}: expected ${pattern}, got ${value}`];
  });
}

const isCsrf = (cookie: string) => cookie.startsWith("tiled_csrf=");

/** Every success sets the cookie where the request had none, and only there. */
function csrfProblems({ send, headers }: Exchange, { status, cookies }: Answered): string[] {
  if (status >= 400 || send.startsWith("OPTIONS ")) return [];
  const had = headers?.["Cookie"]?.includes("tiled_csrf=") ?? false;
  return cookies.some(isCsrf) === had ? [`tiled_csrf: ${had ? "set again" : "not set"}`] : [];
}

function cookieProblems({ cookies = [] }: Answer, answered: Answered, words: Vocabulary): string[] {
  const named = cookies.some(isCsrf);
  const got = answered.cookies.filter((cookie) => named || !isCsrf(cookie)).map(normalCookie);
  const expected = cookies.map(normalCookie);
  const same =
    got.length === expected.length &&
    expected.every((text, index) => sameText(text, got[index] ?? "", words));
  if (same) return [];
  return [`cookies: expected ${expected.join(" and ") || "none"}, got ${got.join(" and ") || "none"}`];
}

/** Attributes in a fixed order and in lower case, without `expires`, which says what `max-age` says. */
function normalCookie(cookie: string): string {
  const [pair = "", ...attributes] = cookie.split(/; */);
  const kept = attributes
    .map((attribute) => attribute.toLowerCase())
    .filter((attribute) => !/^expires=/.test(attribute));
  return [pair.replace(/=""$/, "="), ...kept.sort()].join("; ");
}

function bodyProblems(
  answer: Answer,
  { status, headers, body }: Answered,
  words: Vocabulary,
  { side }: Side,
): string[] {
  const type = headers["content-type"] ?? "";
  const typed = (expected: string) =>
    type === expected ? [] : [`content-type: expected ${expected}, got ${type}`];
  if (answer.json !== undefined)
    return [...typed("application/json"), ...compare(answer.json, () => JSON.parse(body.toString()), words)];
  if (answer.msgpack !== undefined) {
    return [...typed("application/x-msgpack"), ...compare(answer.msgpack, () => decode(body), words)];
  }
  if (answer.invalid !== undefined)
    return [...typed("application/json"), ...invalidProblems(answer.invalid, body, side)];
  if (answer.html)
    return [...typed("text/html; charset=utf-8"), ...fieldProblems(answer.html, body.toString())];
  if (answer.empty) return body.length === 0 ? [] : [`body: expected none, got ${body}`];
  if (answer.text !== undefined)
    return sameText(answer.text, body.toString(), words) ? [] : [`body: ${body}`];
  if (answer.sha256 !== undefined) {
    const digest = hash("sha256", body, "hex").slice(0, 16);
    return digest === answer.sha256 ? [] : [`body: ${body.length} bytes with another digest, ${digest}`];
  }
  if (answer.arrow) {
    const pattern: Pattern = { ...answer.arrow };
    return compare(pattern, () => arrowFacts(body), words);
  }
  // An error without a known text still is one in JSON; what the reference answers with a 500 does not matter.
  return status >= 400 && status < 500
    ? [
        ...typed("application/json"),
        ...compare({ detail: "<any>" }, () => JSON.parse(body.toString()), words),
      ]
    : [];
}

function fieldProblems(html: true | readonly string[], page: string): string[] {
  if (html === true) return [];
  const inputs = [...page.matchAll(/<input[^>]*>/g)].map(([input]) => input);
  const shown = inputs.filter((input) => !/type="(hidden|submit)"/.test(input));
  const names = shown.map((input) => /\sname="([^"]*)"/.exec(input)?.[1]);
  return names.join() === html.join() ? [] : [`fields: expected ${html.join()}, got ${names.join()}`];
}

function compare(pattern: Pattern, read: () => unknown, words: Vocabulary): string[] {
  try {
    return differences(pattern, read(), words);
  } catch (error) {
    return [`body: ${error}`];
  }
}

/** Which fields are wrong; what exactly the validator calls it counts for the reference, and for missing ones. */
function invalidProblems(expected: readonly string[], body: Buffer, side: Side["side"]): string[] {
  const { detail } = JSON.parse(body.toString());
  if (!Array.isArray(detail)) return [`detail: expected a list, got ${JSON.stringify(detail)}`];
  if (side === "ours" && detail.some((problem) => "input" in problem)) return ["detail: repeats the input"];
  const got = detail.map(({ type, loc }) => `${type} ${loc.join(".")}`);
  const exact = (text: string) => text.includes(" ") && (side === "reference" || text.startsWith("missing "));
  const same =
    got.length === expected.length &&
    expected.every((text, index) =>
      exact(text) ? got[index] === text : got[index]?.split(" ")[1] === text.split(" ").at(-1),
    );
  return same ? [] : [`detail: expected ${expected.join(", ")}, got ${got.join(", ")}`];
}

function arrowFacts(body: Buffer) {
  const table = tableFromIPC(body);
  return { rows: table.numRows, columns: table.schema.fields.map(({ name }) => name) };
}

const SHAPES = readShapes();

/** Our times are UTC, in whole seconds and with their offset; the reference's vary with its database. */
function vocabulary({ side, base, other }: Side): Vocabulary {
  const time =
    side === "ours"
      ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/
      : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?$/;
  const literal = (text: string) => new RegExp(text.replaceAll(".", "\\."));
  return {
    shapes: SHAPES,
    sets: [".api_keys"],
    values: {
      any: (value) => value !== undefined,
      list: Array.isArray,
      time: (value) =>
        value instanceof Date ? side !== "ours" || value.getMilliseconds() === 0 : time.test(String(value)),
    },
    texts: {
      base: literal(base),
      "base%": literal(encodeURIComponent(base)),
      other: literal(other ?? "no provider"),
      text: /.+/,
      uuid: /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/,
      "32 hex": /[0-9a-f]{32}/,
      "8 hex": /[0-9a-f]{8}/,
      "64 hex": /[0-9a-f]{64}/,
      "user code": /[0-9A-F]{4}-[0-9A-F]{4}/,
      challenge: /[\w-]{43}/,
      sealed: /[\w-]+(?:\.[\w-]*){4}/,
      "key secret": /[0-9a-f]{72}/,
      "256 u": /u{256}/,
      // Ours is for the one caller who asked.
      revalidated: side === "ours" ? /private, must-revalidate/ : /must-revalidate/,
      "request id": side === "ours" ? /[0-9a-f]{16}/ : /[0-9a-f]{16,32}/,
      jwt: /[\w-]+\.[\w-]+\.[\w-]+/,
      etag: /"?[\w+/=-]+"?/,
      csrf: /[\w.~-]{16,}/,
      date: /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/,
      "arrow schema": /data:application\/vnd\.apache\.arrow\.file;base64,[A-Za-z0-9+/]+=*/,
    },
  };
}
