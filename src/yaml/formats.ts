/**
 * Formats of text in a YAML file: what a schema's `format` words mean, and the sentence about text of another form. A
 * format never repeats the text; `shown.ts` decides whether the message may. Formats of the configuration alone are in
 * `config/formats.ts`.
 */
import { DURATION_FORMS, LONGEST_WINDOW, seconds, WINDOW_FORMS } from "./durations.ts";

/** The text has another form; the general sentence says enough. */
export const OTHER_FORM = "";
export const EMPTY = "must not be empty";

export interface TextFormat {
  /** Completes "must be …" and "is not …". */
  readonly what: string;
  /** Completes "Use …". */
  readonly use?: string;
  /** A type whose values the words speak of, too. */
  readonly covers?: "number";
  /** Undefined if the text is right, else the error: "must not …", or `OTHER_FORM`. */
  check(text: string): string | undefined;
}

/** By the word in the schema. A word that is not here allows any text. */
export type Formats = Readonly<Record<string, TextFormat>>;

/** The message about text, undefined if it is right. `shown`: the text as a message may show it. */
export function formatProblem(
  format: TextFormat | undefined,
  text: string,
  shown?: string,
): string | undefined {
  const wrong = format?.check(text);
  if (format === undefined || wrong === undefined) return undefined;
  const general = shown === undefined ? `must be ${format.what}` : `${shown} is not ${format.what}`;
  const use = format.use === undefined ? "" : ` Use ${format.use}.`;
  return `${wrong === OTHER_FORM ? general : wrong}.${use}`;
}

export function matching(pattern: RegExp, what: string, use?: string): TextFormat {
  const check = (text: string) => (pattern.test(text) ? undefined : otherForm(text));
  return use === undefined ? { what, check } : { what, use, check };
}

export function otherForm(text: string): string {
  return text.trim() === "" ? EMPTY : OTHER_FORM;
}

function checkWindow(text: string): string | undefined {
  const read = seconds(text);
  if (read === undefined) return otherForm(text);
  return read > LONGEST_WINDOW ? "must not be longer than 24 days" : undefined;
}

/** The formats of the shapes in `schema-shapes.ts`. */
export const BASIC_FORMATS = {
  "not-empty": matching(/\S/, "text that is not empty"),
  "tiled-duration": {
    what: "a duration",
    use: DURATION_FORMS,
    covers: "number",
    check: (text) => (seconds(text) === undefined ? otherForm(text) : undefined),
  },
  "throttle-window": { what: "a duration", use: WINDOW_FORMS, covers: "number", check: checkWindow },
} satisfies Formats;
