/** Helpers for database URIs: splits and decodes text, and checks parameters by name and value. */
import { OperatorError } from "../errors.ts";
import { nearest } from "../lib/nearest.ts";

/** Returns what is wrong with a value, without a final period, or undefined. Never repeats the value of a secret. */
export type ValueCheck = (value: string) => string | undefined;
/** Value checks by parameter name. */
export type ParameterTable = Readonly<Record<string, ValueCheck>>;

/** Accepts any value. */
export const any: ValueCheck = () => undefined;

/** Accepts the listed values, in any case. */
export function oneOf(...allowed: readonly string[]): ValueCheck {
  return (value) =>
    allowed.includes(value.toLowerCase()) ? undefined : `use ${listed(allowed)} (found '${brief(value)}')`;
}

/** Accepts a number of seconds within limits. */
export function seconds(least: number, most: number): ValueCheck {
  return (value) => {
    const number = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN;
    return number >= least && number <= most
      ? undefined
      : `use seconds from ${least} to ${most} (found '${brief(value)}')`;
  };
}

/** Accepts values that match the fixed behaviour; refuses any other with the reason `why`. */
export function only(values: readonly string[], why: string): ValueCheck {
  return (value) => (values.includes(value.toLowerCase()) ? undefined : why);
}

/** Refuses any value with the reason `why`. */
export function refused(why: string): ValueCheck {
  return () => why;
}

/**
 * Throws an OperatorError for the first parameter that is unknown or cannot take effect. `kind` names the database in messages,
 * `advice` has hints for names of other programs.
 */
export function checkParameters(
  parameters: Readonly<Record<string, string>>,
  table: ParameterTable,
  kind: string,
  advice: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(parameters)) {
    const check = Object.hasOwn(table, name) ? table[name] : undefined;
    if (check === undefined) throw unknown(name, table, kind, advice);
    const wrong = check(value);
    if (wrong !== undefined)
      throw new OperatorError(`The parameter '${name}' of the database's URI: ${wrong}.`);
  }
}

function unknown(
  name: string,
  table: ParameterTable,
  kind: string,
  advice: Readonly<Record<string, string>>,
): OperatorError {
  const near = nearest(name, Object.keys(table));
  const hint = Object.hasOwn(advice, name) ? advice[name] : near && `Did you mean '${near}'?`;
  return new OperatorError(
    `The database's URI has the unknown parameter '${brief(name)}'. ${hint ?? `Leave it out: it would have no effect, since ${kind} URIs have no such parameter here.`}`,
  );
}

/**
 * Parses a query. A repeated parameter throws an OperatorError, except those in `joined`, whose values are joined with the
 * given separator.
 */
export function readQuery(
  query: string,
  joined: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = found.get(name);
    const separator = Object.hasOwn(joined, name) ? joined[name] : undefined;
    if (before !== undefined && separator === undefined)
      throw new OperatorError(`The database's URI has the parameter '${brief(name)}' twice.`);
    found.set(name, before === undefined ? value : `${before}${separator}${value}`);
  }
  return Object.fromEntries(found);
}

/** Splits at the first separator; one part if it does not occur. */
export function splitOnce(text: string, separator: string): [string, string?] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

/** Decodes percent-encoding; returns malformed text unchanged. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A bare percent sign was meant literally.
    return text;
  }
}

function listed(values: readonly string[]): string {
  if (values.length < 2) return values.join("");
  return `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

function brief(value: string): string {
  const text = value.replaceAll(/[^\x20-\x7e]/g, "?");
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
