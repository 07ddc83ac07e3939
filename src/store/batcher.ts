/**
 * Batches look-ups that anyone can cause, such as those of unknown API keys: a few run at a time, and later ones are looked up
 * together, so a flood of them neither takes all connections nor delays other requests.
 */
const AT_A_TIME = 2;
const LARGEST = 200;

interface Waiting<K, V> {
  readonly key: K;
  resolve(value: V | undefined): void;
  reject(error: unknown): void;
}

/** `load` answers in the order of its keys. */
export function batched<K, V>(
  load: (keys: readonly K[]) => Promise<readonly (V | undefined)[]>,
): (key: K) => Promise<V | undefined> {
  const waiting: Waiting<K, V>[] = [];
  let underway = 0;

  const look = async () => {
    const batch = waiting.splice(0, LARGEST);
    underway += 1;
    try {
      const values = await load(batch.map(({ key }) => key));
      for (const [index, { resolve }] of batch.entries()) resolve(values[index]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    underway -= 1;
    if (waiting.length > 0) void look();
  };

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (underway < AT_A_TIME) void look();
    });
}
