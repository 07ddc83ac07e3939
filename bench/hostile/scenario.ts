/**
 * Defines the attacks of `bench/hostile.ts`. Each file in `scenarios/` exports a list named `scenarios`; the runner finds these
 * files, so a new attack is just a new file.
 */
import { type Cleanup, temporaryFolder } from "../../test/support/folders.ts";
import { toy } from "../../test/support/toy.ts";

export interface Scenario {
  /** Unique; chosen on the command line. */
  readonly name: string;
  /** One line for the table. */
  readonly attack: string;
  /** For the server's `node`, such as `--max-old-space-size=768`. */
  readonly node?: readonly string[];
  /** Limit for the server's open files. */
  readonly descriptors?: number;
  prepare(place: Place): Promise<Attack>;
}

/** Everything created here is removed after the scenario. */
export interface Place {
  readonly cleanup: Cleanup;
  folder(): Promise<string>;
}

interface Attack {
  /** The server's configuration. It must have the provider `toy` with alice's password, because her logins are timed. */
  readonly config: object;
  /** Attacks for a limited time. Every outcome is counted by name: a status, `reset`, `no answer`. */
  run(target: Target, count: Count): Promise<void>;
}

export interface Target {
  readonly port: number;
  readonly url: string;
}

export type Count = (outcome: string, times?: number) => void;

/** The toy deployment on a SQLite file, with public data. */
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
