/**
 * The log for a terminal: one coloured line for each of pino's JSON lines. Text from outside passes through `printable`.
 * pino-pretty would add nineteen packages and 40 ms to the start, and prints U+009B, which terminals execute.
 */
import { type Paints, paints } from "./paints.ts";
import { printable } from "./printable.ts";

export interface PrettyOptions {
  readonly colours: boolean;
  /** Times as ISO 8601 in UTC instead of the local time of day. */
  readonly isoTimes: boolean;
}

type Line = Readonly<Record<string, unknown>>;

/** Converts JSON lines to lines for people. */
export function prettyLines(options: PrettyOptions): (lines: string) => string {
  const paint = paints(options.colours);
  return (lines) => {
    let text = "";
    for (const json of lines.split("\n")) if (json !== "") text += `${pretty(json, options, paint)}\n`;
    return text;
  };
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "TRACE",
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

function pretty(json: string, options: PrettyOptions, paint: Paints): string {
  let line: Line;
  try {
    line = JSON.parse(json) as Line;
  } catch {
    return printable(json);
  }
  const time = paint.dim(timeOf(line["time"], options));
  if (line["msg"] === "request" && typeof line["status"] === "number")
    return `${time} ${request(line, line["status"], paint)}`;
  const { level, time: _time, msg, err, ...facts } = line;
  const name = LEVELS[Number(level)] ?? String(level);
  const shown = Number(level) >= 50 ? paint.red(name) : Number(level) === 40 ? paint.yellow(name) : name;
  return (
    [`${time} ${shown} ${shownText(msg)}`, ...Object.entries(facts).map(fact)].join("  ") + stack(err, msg)
  );
}

function request(line: Line, status: number, paint: Paints): string {
  const colour = status >= 500 ? paint.red : status >= 400 ? paint.yellow : paint.green;
  const who = shownText(line["name"] ?? line["principal"]);
  const did = line["event"] === "login" ? paint.bold(`${who} logged in`) : paint.cyan(who);
  const parts = [
    colour(String(status)),
    `${shownText(line["method"])} ${shownText(line["path"])}`,
    `${shownText(line["ms"])} ms`,
    did,
    shownText(line["address"]),
  ];
  if (line["aborted"] === true) parts.push("hung up");
  if (line["code"] !== undefined)
    parts.push(colour(`${shownText(line["code"])}: ${shownText(line["reason"])}`));
  // Only failed requests need an id.
  if (status >= 400) parts.push(paint.dim(shownText(line["reqId"])));
  return parts.join("  ");
}

function fact([name, value]: [string, unknown]): string {
  return `${printable(name)}=${shownText(value)}`;
}

/** Below the line, since it only helps to find defects. */
function stack(err: unknown, msg: unknown): string {
  const { message, stack: calls } = Object(err) as { readonly message?: unknown; readonly stack?: unknown };
  const text = typeof calls === "string" ? calls : message === msg ? undefined : message;
  if (typeof text !== "string") return "";
  return text
    .split("\n")
    .map((part) => `\n    ${printable(part.trim())}`)
    .join("");
}

function shownText(value: unknown): string {
  return printable(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}

function timeOf(time: unknown, { isoTimes }: PrettyOptions): string {
  const date = new Date(typeof time === "number" || typeof time === "string" ? time : Number.NaN);
  if (Number.isNaN(date.getTime())) return "-";
  if (isoTimes) return date.toISOString();
  const two = (part: number) => String(part).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}
