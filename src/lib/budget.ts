/**
 * A memory budget for all answers in progress. Each answer reserves its need before it begins, and waits or is refused if too
 * little is left. One caller cannot take all of it, and half is reserved for callers with a credential.
 */
export interface Holder {
  /** Answers with the same key share one part of the budget. */
  readonly key: string;
  /** Whether the caller has a credential. */
  readonly known: boolean;
}

export interface BudgetLimits {
  readonly bytes: number;
  /** Milliseconds that an answer waits. */
  readonly timeout: number;
  /** Waiting answers of one holder, and of all. */
  readonly waiting: { readonly each: number; readonly all: number };
  readonly refusal: () => Error;
}

/** Shares of one holder, and of all holders without a credential. A single answer may exceed its share. */
const SHARE = { holder: 1 / 4, unknown: 1 / 2 };

const UNKNOWN = "";

interface Waiting {
  readonly bytes: number;
  readonly holder: Holder;
  begin(): void;
}

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #used = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  #total = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** In bytes. */
  get used(): number {
    return this.#total;
  }

  /** Resolves to a function that gives the bytes back. Further calls of it do nothing. */
  async take(bytes: number, holder: Holder): Promise<() => void> {
    if (!this.#fits(bytes, holder)) await this.#turn(bytes, holder);
    else this.#add(bytes, holder);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#add(-bytes, holder);
      for (const waiting of this.#waiting) if (this.#fits(waiting.bytes, waiting.holder)) waiting.begin();
    };
  }

  #fits(bytes: number, { key, known }: Holder): boolean {
    const { bytes: most } = this.#limits;
    const held = this.#used.get(`=${key}`) ?? 0;
    const unknown = this.#used.get(UNKNOWN) ?? 0;
    return (
      (this.#total + bytes <= most || this.#total === 0) &&
      (held + bytes <= most * SHARE.holder || held === 0) &&
      (known || unknown + bytes <= most * SHARE.unknown || unknown === 0)
    );
  }

  #add(bytes: number, { key, known }: Holder): void {
    this.#total += bytes;
    for (const name of known ? [`=${key}`] : [`=${key}`, UNKNOWN]) {
      const used = (this.#used.get(name) ?? 0) + bytes;
      if (used > 0) this.#used.set(name, used);
      else this.#used.delete(name);
    }
  }

  #turn(bytes: number, holder: Holder): Promise<void> {
    const { timeout, waiting: most, refusal } = this.#limits;
    return new Promise((resolve, reject) => {
      const same = [...this.#waiting].filter((other) => other.holder.key === holder.key).length;
      if (this.#waiting.size >= most.all || same >= most.each) {
        reject(refusal());
        return;
      }
      const waiting: Waiting = {
        bytes,
        holder,
        begin: () => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          this.#add(bytes, holder);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(refusal());
      }, timeout);
      this.#waiting.add(waiting);
    });
  }
}
