/**
 * Waits until done or aborted. An abort rejects with the signal's own reason.
 */

export type Signal = AbortSignal | undefined;

/** Milliseconds. */
export async function pause(ms: number, signal?: Signal): Promise<void> {
  signal?.throwIfAborted();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await orAborted(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
      signal,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Stops waiting on abort; the work itself goes on. */
export async function orAborted<T>(waited: Promise<T>, signal?: Signal): Promise<T> {
  if (signal === undefined) return await waited;
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([waited, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
