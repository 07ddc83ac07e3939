/**
 * Values as Python's `repr` writes them, for texts that users know from Tiled.
 */
export function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\p{C}\p{Z}'"]/gu, (character) => {
    if (character === " " || ((character === "'" || character === '"') && character !== quote))
      return character;
    if (character === quote || character === "\\") return `\\${character}`;
    return SHORT_ESCAPES[character] ?? numericEscape(character.codePointAt(0) ?? 0);
  });
  return quote + escaped + quote;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function numericEscape(code: number): string {
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

export function pythonList(texts: readonly string[]): string {
  return `[${texts.map(pythonString).join(", ")}]`;
}

/** `(100, 100)`, `(3,)`, `()`. */
export function pythonTuple(items: readonly (number | string)[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
}
