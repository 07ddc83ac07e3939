/**
 * Text that others chose (a user name from a failed login, the note of a key), safe to show: without control characters,
 * which move the cursor or change the window's title, and without invisible ones, which turn the reading direction.
 */

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;

export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** What is not plain ASCII. */
const NOT_PLAIN = /[^\n -~]+/g;

/**
 * The same for what `JSON.stringify` has made, one value or lines of them, whose meaning stays: it escapes neither the
 * controls from U+007F to U+009F, of which U+009B begins a command to a terminal, nor what turns the reading direction. A
 * line's end never stands inside of a text.
 */
export function printableJson(json: string): string {
  // Nearly all of a log is plain, and to look for the rest one by one would take ten times as long.
  if (Buffer.byteLength(json) === json.length && !json.includes("\u007f")) return json;
  return json.replace(NOT_PLAIN, (part) => part.replace(CONTROL, escaped));
}

/** JSON has no escape for what takes two units: each is written. */
function escaped(character: string): string {
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
