/**
 * Makes text from outside (the user name of a failed login, the note of a key) safe to show: escapes control characters, which
 * can move the cursor or change the window's title, and invisible ones, which can reverse the reading direction.
 */

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;

export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Anything but printable ASCII. */
const NOT_PLAIN = /[^\n -~]+/g;

/**
 * The same for the output of `JSON.stringify`, keeping its meaning. `JSON.stringify` escapes neither U+007F to U+009F, of
 * which U+009B begins a terminal command, nor characters that reverse the reading direction. Line ends are kept, since JSON
 * strings contain none.
 */
export function printableJson(json: string): string {
  // Nearly all log text is plain, and this check is ten times as fast as the search.
  if (Buffer.byteLength(json) === json.length && !json.includes("\u007f")) return json;
  return json.replace(NOT_PLAIN, (part) => part.replace(CONTROL, escaped));
}

/** JSON escapes each of the two code units of a character beyond the basic plane. */
function escaped(character: string): string {
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
