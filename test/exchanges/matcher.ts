/**
 * Patterns of answers. A text of a pattern may contain placeholders, `<uuid>` or `<base>`; a text that is nothing but
 * one stands for any value of its kind or for a whole shape (`shapes.yml`); `"...": <shape>` in an object takes over
 * that shape's fields. Everything else must be equal, field by field.
 */
export type Pattern =
  | null
  | boolean
  | number
  | string
  | readonly Pattern[]
  | { readonly [key: string]: Pattern };

export interface Vocabulary {
  /** What a placeholder within a text stands for. */
  readonly texts: Readonly<Record<string, RegExp>>;
  /** What a placeholder that is the whole pattern stands for; looked at first. */
  readonly values: Readonly<Record<string, (value: unknown) => boolean>>;
  readonly shapes: Readonly<Record<string, Pattern>>;
  /** Fields whose lists have no order. */
  readonly sets: readonly string[];
}

const PLACEHOLDER = /<([^<>]+)>/g;

/** Every place where the value is not as the pattern says, in words. */
export function differences(pattern: Pattern, value: unknown, words: Vocabulary, place = "$"): string[] {
  const wrong = () => [`${place}: expected ${JSON.stringify(pattern)}, got ${JSON.stringify(value)}`];
  if (typeof pattern === "string") {
    const name = /^<([^<>]+)>$/.exec(pattern)?.[1];
    const fits = name === undefined ? undefined : words.values[name];
    if (fits) return fits(value) ? [] : wrong();
    const shape = name === undefined ? undefined : words.shapes[name];
    if (shape !== undefined) return differences(shape, value, words, place);
    return typeof value === "string" && sameText(pattern, value, words) ? [] : wrong();
  }
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return wrong();
    if (words.sets.some((name) => place.endsWith(name))) return sameSet(pattern, value, words) ? [] : wrong();
    return pattern.flatMap((item, index) => differences(item, value[index], words, `${place}[${index}]`));
  }
  if (isObject(pattern)) {
    if (!isObject(value)) return wrong();
    const fields = spread(pattern, words);
    const names = new Set([...Object.keys(fields), ...Object.keys(value)]);
    return [...names].flatMap((name) => {
      const expected = fields[name];
      if (expected === undefined)
        return [`${place}.${name}: not expected, got ${JSON.stringify(value[name])}`];
      if (!(name in value)) return [`${place}.${name}: missing`];
      return differences(expected, value[name], words, `${place}.${name}`);
    });
  }
  return pattern === value ? [] : wrong();
}

/** Whether each value can be given to another one of the patterns. */
function sameSet(patterns: readonly Pattern[], values: readonly unknown[], words: Vocabulary): boolean {
  const left = [...values];
  return patterns.every((pattern) => {
    const index = left.findIndex((value) => differences(pattern, value, words).length === 0);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

/** Lists of scopes within a text count as sets: the reference prints them in any order. */
export function sameText(pattern: string, text: string, words: Vocabulary): boolean {
  const source = sortLists(pattern)
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? literal(part) : placeholder(part, words)))
    .join("");
  return new RegExp(`^(?:${source})$`, "su").test(sortLists(text));
}

function placeholder(name: string, words: Vocabulary): string {
  const shape = words.shapes[name];
  if (typeof shape === "string") return literal(shape);
  const text = words.texts[name];
  if (!text) throw new Error(`No such placeholder: <${name}>`);
  return text.source;
}

function spread(pattern: { readonly [key: string]: Pattern }, words: Vocabulary): Record<string, Pattern> {
  const { "...": base, ...own } = pattern;
  if (base === undefined) return own;
  const shape = typeof base === "string" ? words.shapes[base.slice(1, -1)] : undefined;
  if (!isObject(shape)) throw new Error(`No such shape: ${JSON.stringify(base)}`);
  return { ...spread(shape, words), ...own };
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function sortLists(text: string): string {
  return text
    .replace(/<ScopeName\.\w+: ('[^']+')>/g, "$1")
    .replace(/\[('[^\]]*')\]/g, (_list, items: string) => `[${items.split(", ").sort().join(", ")}]`);
}

function isObject<T>(value: T | undefined): value is T & { readonly [key: string]: Pattern } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
