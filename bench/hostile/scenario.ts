/**
 * What an attack of `bench/hostile.ts` consists of. Each file in `scenarios/` exports one list named `scenarios`; the runner finds
 * the files by itself, so that a new attack is a new file and nothing else.
 */
import { type Cleanup, temporaryFolder } from "../../test/support/folders.ts";
import { toy } from "../../test/support/toy.ts";

export interface Scenario {
  /** Unique; chosen on the command line. */
  readonly name: string;
  /** For the table, one line. */
  readonly attack: string;
  /** For the server's `node`, such as `--max-old-space-size=768`. */
  readonly node?: readonly string[];
  /** File descriptors that the server may have open. */
  readonly descriptors?: number;
  prepare(place: Place): Promise<Attack>;
}

/** What is made here is gone when the scenario is over. */
export interface Place {
  readonly cleanup: Cleanup;
  folder(): Promise<string>;
}

interface Attack {
  /** The server's configuration. The provider `toy` with alice's password must be in it, since her logins are timed. */
  readonly config: object;
  /** Attacks, for a limited time. Every outcome is counted by its name: a status, `reset`, `no answer`. */
  run(target: Target, count: Count): Promise<void>;
}

export interface Target {
  readonly port: number;
  readonly url: string;
}

export type Count = (outcome: string, times?: number) => void;

/** The toy deployment on a SQLite file, whose data anyone may read. */
export async function publicToy(place: Place, sections: object = {}): Promise<object> {
  return toy({
    authentication: { allow_anonymous_access: true },
    database: { uri: `sqlite:///${await place.folder()}/bench.db`, init_if_not_exists: true },
    ...sections,
  });
}

export function placeOf(cleanup: Cleanup): Place {
  return { cleanup, folder: () => temporaryFolder(cleanup) };
}
