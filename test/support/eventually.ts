/**
 * Waiting in tests for what happens in another process or on a socket, where no event announces it.
 */
import { setTimeout as delay } from "node:timers/promises";

/** Asks until the answer is true, in steps of 20 ms; false when the time is over. */
export async function eventually(seconds: number, ask: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() > deadline) return false;
    await delay(20);
  }
}
