/**
 * Ends answers that have been silent for too long. One timer serves all, since a timer per answer would cost more.
 */
export interface Watched {
  /** The watch's time of the last activity. */
  touched: number;
  /** Whether there was activity that `touched` does not show. */
  hasMoved(): boolean;
  /** It is silent because the caller does not read. */
  isHeldUp(): boolean;
  onSilence(): void;
}

const STEP_MS = 1_000;
/** Seconds that a caller may stop reading: it holds two connections meanwhile. */
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
