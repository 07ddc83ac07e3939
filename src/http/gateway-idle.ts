/**
 * Ends what has been silent for too long. One timer for all, since a timer for each answer would cost more than the look.
 */
export interface Watched {
  /** The watch's time when something last came. */
  touched: number;
  /** It is silent because it was asked to. */
  isHeldUp(): boolean;
  onSilence(): void;
}

const STEP_MS = 1_000;

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
      if (watched.isHeldUp()) watched.touched = this.now;
      else if (this.now - watched.touched > this.#seconds) watched.onSilence();
    }
  }
}
