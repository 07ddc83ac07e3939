/**
 * Durations as Tiled's configurations write them: seconds, ISO 8601 ("PT15M"), "00:15:00" (or "00:15", hours and
 * minutes), "7 days, 00:00:00"; here also digits in quotes ("900"). A year has 365 days and a month 30, as in Tiled.
 */
const FORMS = `seconds (900), ISO 8601 ("PT15M"), "00:15:00" or "7 days, 00:00:00"; more than 0`;

export const DURATION_FORMS = `${FORMS} and at most 100 years`;
export const WINDOW_FORMS = `${FORMS} and at most 24 days`;

export const LONGEST = 100 * 366 * 86_400;
/** Failures expire by a timer, and a timer of more than 24.8 days fires at once: nothing would be counted. */
export const LONGEST_WINDOW = 24 * 86_400;

const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
const ISO = new RegExp(
  `^\\+?P(?=\\d|T\\d)(?:${NUMBER}Y)?(?:${NUMBER}M)?(?:${NUMBER}W)?(?:${NUMBER}D)?(?:T(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}S)?)?$`,
);
const ISO_UNITS = [365 * 86_400, 30 * 86_400, 7 * 86_400, 86_400, 3600, 60, 1];
const CLOCK = /^(?:(\d+) ?d(?:ays?)?(?:, ?| |$))?(?:(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?)?$/i;
const DIGITS = /^\d+(?:\.\d+)?$/;

/** In seconds; undefined if the value is not a duration within the bounds. */
export function seconds(value: string | number): number | undefined {
  const read = typeof value === "number" ? value : fromText(value.trim());
  return read !== undefined && read > 0 && read <= LONGEST ? read : undefined;
}

function fromText(text: string): number | undefined {
  if (text === "" || text.length > 60) return undefined;
  if (DIGITS.test(text)) return Number(text);
  const iso = ISO.exec(text);
  if (iso !== null)
    return ISO_UNITS.reduce(
      (sum, unit, index) => sum + unit * Number((iso[index + 1] ?? "0").replace(",", ".")),
      0,
    );
  const clock = CLOCK.exec(text);
  if (clock === null) return undefined;
  const [, days = 0, hours = 0, minutes = 0, rest = 0] = clock;
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}
