/**
 * Parses the subset of Python literals that .npy headers use: strings, integers, True and False, tuples, lists, and
 * dictionaries with string keys.
 */

export type Literal = string | number | boolean | readonly Literal[] | ReadonlyMap<string, Literal>;

const MAX_DEPTH = 32;

/** Undefined: the text is not such a literal. */
export function parseLiteral(text: string): Literal | undefined {
  try {
    const reader = new Reader(text);
    const value = reader.value(0);
    return reader.atEnd() ? value : undefined;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#match(/\s*/y);
    return this.#at === this.#text.length;
  }

  value(depth: number): Literal {
    if (depth > MAX_DEPTH) throw new Unreadable();
    if (this.#take("{")) return this.#mapping(depth);
    if (this.#take("(")) return this.#tuple(depth);
    if (this.#take("[")) return this.#items("]", () => this.value(depth + 1));
    const word = this.#match(/\s*(True|False)\b/y)?.[1];
    if (word !== undefined) return word === "True";
    // Python 2 wrote long numbers with an L.
    const digits = this.#match(/\s*(\d{1,20})L?\b/y)?.[1];
    if (digits === undefined) return this.#string();
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) throw new Unreadable();
    return value;
  }

  #mapping(depth: number): ReadonlyMap<string, Literal> {
    const pairs = this.#items("}", () => {
      const key = this.#string();
      if (!this.#take(":")) throw new Unreadable();
      return [key, this.value(depth + 1)] as const;
    });
    return new Map(pairs);
  }

  /** `(3)` is a number in parentheses, not a tuple. */
  #tuple(depth: number): Literal {
    let commas = 0;
    const items = this.#items(
      ")",
      () => this.value(depth + 1),
      () => {
        commas += 1;
      },
    );
    const [only] = items;
    return items.length === 1 && commas === 0 && only !== undefined ? only : items;
  }

  #items<Item>(end: string, read: () => Item, onComma: () => void = () => {}): Item[] {
    const items: Item[] = [];
    while (!this.#take(end)) {
      items.push(read());
      if (this.#take(",")) onComma();
      else if (this.#take(end)) return items;
      else throw new Unreadable();
    }
    return items;
  }

  #string(): string {
    const found = this.#match(/\s*u?(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/y);
    const raw = found?.[1] ?? found?.[2];
    if (raw === undefined) throw new Unreadable();
    return raw.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)/gi, (_all, escaped: string) => {
      const code = escaped.length > 1 ? Number.parseInt(escaped.slice(1), 16) : undefined;
      if (code === undefined) return ESCAPES[escaped] ?? escaped;
      if (code > 0x10ffff) throw new Unreadable();
      return String.fromCodePoint(code);
    });
  }

  #take(character: string): boolean {
    const rest = this.#match(/\s*/y)?.[0] ?? "";
    if (this.#text[this.#at] === character) {
      this.#at += 1;
      return true;
    }
    this.#at -= rest.length;
    return false;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
