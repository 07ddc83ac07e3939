/**
 * Which texts the database can hold. Both dialects keep the same ones, so that a database can move from one to the other:
 * PostgreSQL takes neither NUL nor a lone surrogate, and the columns for names and notes are 255 characters wide.
 */

/** Width of the columns in characters (Unicode code points). */
export const MAX_TEXT = 255;

/** Well-formed Unicode without NUL, of any length. */
export function isPlainText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** Well-formed Unicode without NUL, at most 255 characters. */
export function isStorableText(text: string): boolean {
  return isPlainText(text) && (text.length <= MAX_TEXT || [...text].length <= MAX_TEXT);
}

/** The same for a name, which is never empty. */
export function isStorableName(name: string): boolean {
  return name !== "" && isStorableText(name);
}
