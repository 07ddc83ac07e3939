/**
 * The line of a YAML file that cannot be read, with a caret under the place. The file may hold secrets and cannot be
 * parsed, so only what is certain to be harmless is shown: known keys, the values of keys that hold no secret, and
 * YAML's own marks; all else is an ellipsis.
 */
import { FILE_SHAPE } from "../config/schema.ts";
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

const INDENT = /^ */;
const KEY_OF_LINE = /^ *(?:- +)*["']?([^\s:"']+)["']?\s*:/;

/** Below these stand names that we do not know, such as people's, and each may equal a key of ours. */
function hasOwnNames(key: string): boolean {
  return key === "args" || !KEYS.has(key);
}

/** Whether a line stands below such a key, told by the indentation. */
function isBelowOwnNames(text: string, above: readonly string[]): boolean {
  let indent = INDENT.exec(text)?.[0].length ?? 0;
  for (const line of above.toReversed()) {
    const own = INDENT.exec(line)?.[0].length ?? 0;
    if (own >= indent || /^\s*(?:#|$)/.test(line)) continue;
    if (hasOwnNames(KEY_OF_LINE.exec(line)?.[1] ?? "")) return true;
    indent = own;
  }
  return false;
}

/** Two lines: the text, and the caret. `column` begins at 0; `above`: the lines before. */
export function excerpt(text: string, column: number, above: readonly string[] = []): readonly string[] {
  let shown = "";
  let caret: number | undefined;
  let open = false;
  let shut = isBelowOwnNames(text, above);
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
      open = !shut && KEYS.get(name) === true;
      shut ||= hasOwnNames(name);
    }
    if (!isKey && RUN_TOGETHER.test(part)) open = false;
    const readable = isKey ? KEYS.has(name) : !word || (open && shownText(part) !== undefined);
    if (caret === undefined && column < index + part.length)
      caret = shown.length + (readable ? column - index : 0);
    shown += readable ? part.replaceAll(/\p{Cc}/gu, " ") : "…";
  }
  if (shown.trim() === "") return [];
  return [shown.trimEnd(), `${" ".repeat(Math.min(caret ?? shown.length, WIDEST))}^`];
}
