/** Pieces of a database URI: splitting, decoding, and parameters that are checked by name and value. */
import { OperatorError } from "../errors.ts";
import { nearest } from "../lib/nearest.ts";

/** What is wrong with a parameter's value, as a sentence's end; undefined: nothing. Never repeats the value of a secret. */
export type ValueCheck = (value: string) => string | undefined;
export type ParameterTable = Readonly<Record<string, ValueCheck>>;

export const any: ValueCheck = () => undefined;

export function oneOf(...allowed: readonly string[]): ValueCheck {
  return (value) =>
    allowed.includes(value.toLowerCase()) ? undefined : `use ${listed(allowed)} (found '${brief(value)}')`;
}

export function seconds(least: number, most: number): ValueCheck {
  return (value) => {
    const number = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN;
    return number >= least && number <= most
      ? undefined
      : `use seconds from ${least} to ${most} (found '${brief(value)}')`;
  };
}

/** Values that ask for what happens anyway; everything else is refused for the reason given. */
export function only(values: readonly string[], why: string): ValueCheck {
  return (value) => (values.includes(value.toLowerCase()) ? undefined : why);
}

export function refused(why: string): ValueCheck {
  return () => why;
}

/** Throws at the first parameter that is unknown or cannot take effect. `advice`: for names that others use. */
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
    `The database's URI has the unknown parameter '${brief(name)}'. ${hint ?? `Leave it out: ${kind} URIs have no such parameter here, and it would have no effect.`}`,
  );
}

/** Parameters of a query, each once, but for those that may be repeated, whose values are joined. */
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

export function splitOnce(text: string, separator: string): [string, string?] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that was meant as itself.
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
