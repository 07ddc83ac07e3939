/**
 * Batches look-ups that an unauthenticated caller can trigger, such as those of unknown API keys. A few batches run at a time
 * and requests that arrive meanwhile form the next one, so a flood of look-ups cannot take every connection.
 */
const AT_A_TIME = 2;
const LARGEST = 200;

interface Waiting<K, V> {
  readonly key: K;
  resolve(value: V | undefined): void;
  reject(error: unknown): void;
}

/**
 * Wraps `load` as a look-up of one key. At most two calls of `load` run at a time, each with at most 200 keys.
 * @param load returns one value per key, in the order of the keys; its error rejects the look-ups of that batch only
 */
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
