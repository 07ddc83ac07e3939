/**
 * Lifetimes of API keys: seconds, or a number and a unit, as the Python client takes them.
 */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, y: 365 * 86_400 };

/** Seconds; null: no end. @throws TypeError */
export function secondsOf(expiresIn: number | string | null | undefined): number | null {
  if (expiresIn === null || expiresIn === undefined) return null;
  const [, number, unit] = /^(\d+)([smhdy]?)$/.exec(String(expiresIn)) ?? [];
  const seconds = Number(number) * (SECONDS[unit || "s"] ?? Number.NaN);
  if (seconds > 0 && Number.isSafeInteger(seconds)) return seconds;
  throw new TypeError(
    'expiresIn is a number of seconds, or a number and a unit, such as "7d" (y, d, h, m, s).',
  );
}
