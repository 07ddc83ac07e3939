/** Times in words. Without scripts a page does not know the reader's time zone: recent times are relative, others in UTC. */
import { type Html, html } from "../lib/html.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

/** "5 minutes ago", "12 March 2026". */
export function past(time: Date, now: number): Html {
  const age = now - time.getTime();
  return marked(time, age > 30 * DAY ? `on ${DATE.format(time)}` : agoText(age));
}

/** "31 January 2027". */
export function day(time: Date): Html {
  return marked(time, DATE.format(time));
}

/** "in 5 minutes", always rounded up. */
export function waitText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (seconds < 60) return `in ${count(seconds, "second")}`;
  return minutes < 60 ? `in ${count(minutes, "minute")}` : `in ${count(Math.ceil(minutes / 60), "hour")}`;
}

function agoText(age: number): string {
  if (age < MINUTE) return "less than a minute ago";
  if (age < HOUR) return `${count(Math.floor(age / MINUTE), "minute")} ago`;
  if (age < DAY) return `${count(Math.floor(age / HOUR), "hour")} ago`;
  return `${count(Math.floor(age / DAY), "day")} ago`;
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

function marked(time: Date, text: string): Html {
  return html`<time datetime="${time.toISOString().slice(0, 19)}Z">${text}</time>`;
}
