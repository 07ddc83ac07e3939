/**
 * Ends what has been silent for too long. One timer for all, since a timer for each answer would cost more than the look.
 */
export interface Watched {
  /** The watch's time when something last came. */
  touched: number;
  /** Something has come meanwhile that nobody was told of. */
  hasMoved(): boolean;
  /** It is silent because it was asked to: the caller takes nothing. */
  isHeldUp(): boolean;
  onSilence(): void;
}

const STEP_MS = 1_000;
/** Seconds; so long may a caller think about what it has, and not for ever: it holds two connections. */
const HELD_UP = 600;

export class IdleWatch {
  readonly #seconds: number;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  /** Steps since the start. */
  now = 0;

  constructor(seconds: number) {
    this.#seconds = seconds;
    this.#timer = setInterval(() => this.#look(), STEP_MS).unref();
  }

  add(watched: Watched): void {
    watched.touched = this.now;
    this.#watched.add(watched);
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.now += 1;
    for (const watched of this.#watched) {
      const limit = watched.isHeldUp() ? Math.max(this.#seconds, HELD_UP) : this.#seconds;
      if (watched.hasMoved()) watched.touched = this.now;
      else if (this.now - watched.touched > limit) watched.onSilence();
    }
  }
}
