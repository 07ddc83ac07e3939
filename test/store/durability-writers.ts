/**
 * The child of `durability.test.ts`: 32 writers at once on one database, each printing its acknowledged writes, until the
 * process is killed.
 */
import { writeSync } from "node:fs";
import { openStore } from "../../src/store/open.ts";
import { logIn, newKey, refresh, storeOptions } from "./support.ts";

const WRITERS = 32;

/** Printed before anything else happens; the reader may be slower than the writers. */
function say(...words: readonly (string | number)[]): void {
  const line = Buffer.from(`${words.join(" ")}\n`);
  for (let sent = 0; sent < line.length; ) {
    try {
      sent += writeSync(1, line, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

const store = await openStore(storeOptions(process.argv[2] ?? ""));

async function write(writer: number): Promise<never> {
  const { principal, session } = await logIn(store, `writer${writer}`, { limit: 1_000_000 });
  say("opened", session.uuid);
  const key = newKey(principal.uuid, {}, { limit: 1_000_000 });
  if ((await store.apiKeys.create(key)).kind === "created") say("created", key.digest);
  for (let generation = 0; generation < 20; generation++) {
    const outcome = await store.sessions.rotate(refresh(session.uuid, generation, `t${generation}`));
    if (outcome.kind === "refreshed") say("rotated", session.uuid, outcome.generation);
  }
  return write(writer);
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
