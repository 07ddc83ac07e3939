/**
 * Names of programs from their `User-Agent` (RFC 9110, section 10.1.5), as a person would call them. A program can claim any
 * name, so it is shown and never relied on.
 */
const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\b(?:Headless)?Chrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\biPhone\b/, "an iPhone"],
  [/\biPad\b/, "an iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "a Mac"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

const LONGEST = 80;

/** "Firefox on Linux", "Tiled for Python 0.2.20"; null: it sent none. */
export function programName(userAgent: string | null): string | null {
  const text = userAgent?.trim() ?? "";
  if (text === "") return null;
  const tiled = /^python-tiled\/(\S{1,40})/.exec(text)?.[1];
  if (tiled !== undefined) return `Tiled for Python ${tiled}`;
  const browser = text.startsWith("Mozilla/") ? named(BROWSERS, text) : undefined;
  if (browser === undefined) return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const system = named(SYSTEMS, text);
  return system === undefined ? browser : `${browser} on ${system}`;
}

function named(table: readonly (readonly [RegExp, string])[], text: string): string | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}
