/**
 * The line of a YAML file that cannot be read, with a caret under the place. The file may hold secrets and cannot be
 * parsed, so only what is certain to be harmless is shown: known keys, the values of keys that hold no secret, and
 * YAML's own marks; all else is an ellipsis.
 */
import { FILE_SHAPE } from "./schema.ts";
import { holdsSecrets, shownText } from "./shown.ts";
import type { Shape } from "./words.ts";

const WIDEST = 100;
/** A word, or a run of what YAML reads as marks. */
const PARTS = /[\p{L}\p{N}_][^\s,{}[\]"'#]*|[^\p{L}\p{N}_]+/gu;

/** `password:x`, which YAML reads as one word. */
const RUN_TOGETHER = /^[\p{L}_][\p{L}\p{N}_-]*:(?!\/\/)/u;

/** Each key of the configuration and of authenticators' entries: whether its values may be shown. */
const KEYS: ReadonlyMap<string, boolean> = keysOf(FILE_SHAPE, new Map());

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

/** Two lines: the text, and the caret. `column` begins at 0. */
export function excerpt(text: string, column: number): readonly string[] {
  let shown = "";
  let caret: number | undefined;
  let open = false;
  for (const { 0: part, index } of text.matchAll(PARTS)) {
    const comment = part.indexOf("#");
    if (shown.length > WIDEST || comment >= 0) {
      shown += shown.length > WIDEST ? "" : part.slice(0, comment);
      break;
    }
    const word = /[\p{L}\p{N}_]/u.test(part);
    const isKey = word && (part.endsWith(":") || /^["']?\s*:(?:\s|$)/.test(text.slice(index + part.length)));
    const name = part.replace(/:$/, "");
    if (isKey) open = KEYS.get(name) === true;
    else if (RUN_TOGETHER.test(part)) open = false;
    const readable = isKey ? KEYS.has(name) : !word || (open && shownText(part) !== undefined);
    if (caret === undefined && column < index + part.length)
      caret = shown.length + (readable ? column - index : 0);
    shown += readable ? part.replaceAll(/\p{Cc}/gu, " ") : "…";
  }
  if (shown.trim() === "") return [];
  return [shown.trimEnd(), `${" ".repeat(Math.min(caret ?? shown.length, WIDEST))}^`];
}
