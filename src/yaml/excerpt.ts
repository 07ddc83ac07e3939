/**
 * The line of a YAML file that has a syntax error, with a caret under it. The file may hold secrets and cannot be parsed, so
 * only known keys, the values of keys without secrets and YAML's punctuation are shown; the rest is an ellipsis.
 */
import { holdsSecrets, shownText } from "./shown.ts";
import type { Shape } from "./words.ts";

const WIDEST = 100;
/** A word, or a run of punctuation. */
const PARTS = /[\p{L}\p{N}_][^\s,{}[\]"'#]*|[^\p{L}\p{N}_]+/gu;

/** `password:x`, which YAML reads as one word. */
const RUN_TOGETHER = /^[\p{L}_][\p{L}\p{N}_-]*:(?!\/\/)/u;

/** Each known key, and whether its values may be shown. */
export type ShownKeys = ReadonlyMap<string, boolean>;

/** The keys of a schema. */
export function shownKeys(shape: Shape): ShownKeys {
  return keysOf(shape, new Map());
}

function keysOf(shape: Shape, found: Map<string, boolean>): Map<string, boolean> {
  for (const option of shape.anyOf ?? []) keysOf(option, found);
  if (shape.items !== undefined) keysOf(shape.items, found);
  for (const [key, property] of Object.entries(shape.properties ?? {})) {
    const open = !holdsSecrets(property) && property.deprecated !== true && property.not === undefined;
    found.set(key, open && (found.get(key) ?? true) && !/key|secret|pass|token|uri/.test(key));
    keysOf(property, found);
  }
  return found;
}

const INDENT = /^ */;
const KEY_OF_LINE = /^ *(?:- +)*["']?([^\s:"']+)["']?\s*:/;

/** The keys below are names of the operator's, e.g. of users, and any of them may equal a key of ours. */
function hasOwnNames(key: string, keys: ShownKeys): boolean {
  return key === "args" || !keys.has(key);
}

/** Whether a line is below such a key, by its indentation. */
function isBelowOwnNames({ text, above, keys }: Excerpt): boolean {
  let indent = INDENT.exec(text)?.[0].length ?? 0;
  for (const line of above.toReversed()) {
    const own = INDENT.exec(line)?.[0].length ?? 0;
    if (own >= indent || /^\s*(?:#|$)/.test(line)) continue;
    if (hasOwnNames(KEY_OF_LINE.exec(line)?.[1] ?? "", keys)) return true;
    indent = own;
  }
  return false;
}

interface Excerpt {
  readonly text: string;
  /** Of the caret, from 0. */
  readonly column: number;
  /** The lines before. */
  readonly above: readonly string[];
  readonly keys: ShownKeys;
}

/** Two lines: the text, and the caret. */
export function excerpt(place: Excerpt): readonly string[] {
  const { text, column, keys } = place;
  let shown = "";
  let caret: number | undefined;
  let open = false;
  let shut = isBelowOwnNames(place);
  for (const { 0: part, index } of text.matchAll(PARTS)) {
    const comment = part.indexOf("#");
    if (shown.length > WIDEST || comment >= 0) {
      shown += shown.length > WIDEST ? "" : part.slice(0, comment);
      break;
    }
    const word = /[\p{L}\p{N}_]/u.test(part);
    const isKey = word && (part.endsWith(":") || /^["']?\s*:(?:\s|$)/.test(text.slice(index + part.length)));
    const name = part.replace(/:$/, "");
    if (isKey) {
      open = !shut && keys.get(name) === true;
      shut ||= hasOwnNames(name, keys);
    }
    if (!isKey && RUN_TOGETHER.test(part)) open = false;
    const readable = isKey ? keys.has(name) : !word || (open && shownText(part) !== undefined);
    if (caret === undefined && column < index + part.length)
      caret = shown.length + (readable ? column - index : 0);
    shown += readable ? part.replaceAll(/\p{Cc}/gu, " ") : "…";
  }
  if (shown.trim() === "") return [];
  return [shown.trimEnd(), `${" ".repeat(Math.min(caret ?? shown.length, WIDEST))}^`];
}
