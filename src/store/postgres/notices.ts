/**
 * Notifications between servers of one PostgreSQL database: what a commit changed, as the payload of `NOTIFY`. It is sent in
 * the transaction of the change, so it arrives exactly if the transaction commits. `listener.ts` receives it.
 */
import type { Change } from "../../domain/ports/changes.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { Effect } from "../commands/effects.ts";

export const CHANNEL = "tiled_auth";

/** A server that begins to listen says so; it recognizes its own greeting by `number`. */
export interface Notice {
  /** The store that sent it. */
  readonly origin: string;
  readonly number: number;
  readonly effect: Effect | "hello";
}

/** Bytes; PostgreSQL refuses 8000. */
const LONGEST = 7999;
/** Of one transaction. Further changes are told as "anything". */
const MOST_NOTICES = 8;

const LETTERS = { anything: "a", document: "d" } as const;
const ALL = "*";
const HELLO = "hello";
const SHAPE = /^([\da-f]+) (\d+) (?:(\*)|(hello)|([ad][\w-]{1,64}(?:,[ad][\w-]{1,64})*))$/;

/** The payloads of an effect; none if it changes nothing. */
export function payloads({ origin, number, effect }: Notice): string[] {
  if (effect === undefined) return [];
  const start = `${origin} ${number} `;
  if (effect === "hello") return [start + HELLO];
  if (effect === "unknown") return [start + ALL];
  const found: string[] = [];
  let text = "";
  const changes: readonly Change[] = "what" in effect ? [effect] : effect;
  for (const { principal, what } of changes) {
    const word = LETTERS[what] + principal;
    if (text !== "" && start.length + text.length + 1 + word.length > LONGEST) {
      found.push(start + text);
      text = "";
    }
    text = text === "" ? word : `${text},${word}`;
  }
  if (text !== "") found.push(start + text);
  return found.length > MOST_NOTICES || !found.every((payload) => SHAPE.test(payload))
    ? [start + ALL]
    : found;
}

/** A payload of another form, for example of a later version, may mean that anything has changed. */
export function parsePayload(payload: string): Notice {
  const [, origin, number, all, hello, changes] = SHAPE.exec(payload) ?? [];
  if (origin === undefined) return { origin: "", number: 0, effect: "unknown" };
  const effect =
    all !== undefined ? "unknown" : hello !== undefined ? "hello" : (changes ?? "").split(",").map(toChange);
  return { origin, number: Number(number), effect };
}

function toChange(word: string): Change {
  return { principal: word.slice(1) as Uuid, what: word.startsWith("d") ? "document" : "anything" };
}
