/**
 * Reads the rules of the section `cave` again when a file changes that they were read from, or on SIGHUP. If the
 * configuration is broken, the rules from before stay in force, and the log says why. Other changes need a restart.
 */
import { statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { CaveConfig, ConfigSource, Reread } from "../config/model.ts";
import type { CaveRulesInForce } from "../domain/cave/rules.ts";
import type { CaveSettings } from "../domain/model/cave.ts";
import { WatchedFile, type WatchOptions } from "../lib/watched-file.ts";
import { problemLines } from "../yaml/problems.ts";

export interface CaveReloadParts {
  /** The section that the server started with. */
  readonly cave: CaveConfig;
  readonly rules: CaveRulesInForce;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  readonly watch?: WatchOptions;
  /** Milliseconds from the last change to the reading, so that a writer can finish, also one of several files. */
  readonly gather?: number;
}

const GATHER_MS = 300;
/** Problems that a line of the log lists. */
const MOST_PROBLEMS = 50;
const STAY = "CAVE's rules from before stay in force";

export class CaveReload {
  readonly #parts: CaveReloadParts;
  readonly #source: ConfigSource | null;
  readonly #watched = new Map<string, WatchedFile>();
  readonly #stopped = new AbortController();
  #started = false;
  #soon: NodeJS.Timeout | undefined;
  #changes = 0;
  #reading: Promise<void> = Promise.resolve();
  /** The reading that has not begun yet. */
  #next: Promise<void> | undefined;
  /** Whether the log gets an answer even if nothing changed. */
  #asked = false;
  /** What was logged last, so that it is not repeated. */
  #trouble: string | undefined;
  #waiting: string | undefined;

  constructor(parts: CaveReloadParts) {
    this.#parts = parts;
    this.#source = parts.cave.source;
    this.#watch(this.#source?.files ?? []);
  }

  start(): void {
    const { rules, log } = this.#parts;
    const { settings } = rules.current;
    log.info(counts(settings), `CAVE's rules are in force: ${described(settings)}.`);
    this.#started = true;
    for (const file of this.#watched.values()) file.start();
    // A file that changed after the server read it. A reading for nothing would cost 15 MB of memory.
    if (this.#source?.files.some((path) => changedSince(path, performance.timeOrigin))) void this.#readNext();
  }

  stop(): void {
    clearTimeout(this.#soon);
    this.#stopped.abort();
    for (const file of this.#watched.values()) file.stop();
  }

  /** On SIGHUP. Never rejects. */
  async read(): Promise<void> {
    if (this.#source === null) {
      this.#parts.log.warn(`The configuration was not read from a file. ${STAY}.`);
      return;
    }
    this.#asked = true;
    await this.#readNext();
  }

  /** Of a file that is still being written, the part that is there may grant what the whole does not. */
  #changed(): void {
    this.#changes += 1;
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.#readNext(), this.#parts.gather ?? GATHER_MS).unref();
  }

  /** Readings run one after the other. A change during a reading is read by the next. */
  #readNext(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      this.#reading = this.#read();
      return this.#reading;
    });
    return this.#next;
  }

  async #read(): Promise<void> {
    const { signal } = this.#stopped;
    const asked = this.#asked;
    this.#asked = false;
    if (signal.aborted) return;
    const changes = this.#changes;
    try {
      const read = await this.#source?.read(signal);
      await Promise.all([...this.#watched.values()].map((file) => file.look()));
      if (read === undefined || signal.aborted) return;
      if (changes !== this.#changes) {
        this.#asked ||= asked;
        return;
      }
      // A file that is new here may have changed since it was read.
      if (this.#watch(read.files)) this.#changed();
      this.#use(read, asked);
    } catch (error) {
      if (!signal.aborted)
        this.#fail(`The configuration could not be read: ${String(error)}. ${STAY}.`, asked);
    }
  }

  #use(read: Reread, asked: boolean): void {
    const { rules, log } = this.#parts;
    const trouble = troubleIn(read);
    if (trouble !== undefined || read.cave === null) {
      this.#fail(
        trouble ?? `The section 'cave' is gone. Its routes stay until a restart, and ${STAY}.`,
        asked,
      );
      return;
    }
    const found = read.cave.rules;
    if (!isDeepStrictEqual(found, rules.current.settings)) {
      rules.replace(found);
      log.info(counts(found), `New rules for CAVE are in force: ${described(found)}.`);
    } else if (asked || this.#trouble !== undefined) log.info("CAVE's rules are unchanged.");
    this.#trouble = undefined;
    const waiting = this.#waitingIn(read, read.cave.serverAddress);
    if (waiting !== undefined && (asked || waiting !== this.#waiting)) log.warn(waiting);
    this.#waiting = waiting;
  }

  #fail(trouble: string, asked: boolean): void {
    if (asked || trouble !== this.#trouble) this.#parts.log.error(trouble);
    this.#trouble = trouble;
  }

  /** What differs from the configuration that the server started with, besides the rules. */
  #waitingIn({ digests }: Reread, serverAddress: string): string | undefined {
    const before = this.#source?.digests ?? new Map<string, string>();
    const keys = [...new Set([...before.keys(), ...digests.keys()])].filter(
      (key) => key !== "cave" && before.get(key) !== digests.get(key),
    );
    if (serverAddress !== this.#parts.cave.serverAddress) keys.push("cave.server_address");
    if (keys.length === 0) return undefined;
    return `These keys have changed since the start, which needs a restart: ${keys.join(", ")}.`;
  }

  /** Watches these files and no others. Whether one of them is new. */
  #watch(files: readonly string[]): boolean {
    for (const [file, watched] of this.#watched) {
      if (files.includes(file)) continue;
      watched.stop();
      this.#watched.delete(file);
    }
    const added = [...new Set(files)].filter((file) => !this.#watched.has(file));
    for (const file of added) {
      const watched = new WatchedFile(file, () => this.#changed(), this.#parts.watch);
      this.#watched.set(file, watched);
      if (this.#started) watched.start();
    }
    return added.length > 0;
  }
}

function troubleIn({ problems }: Reread): string | undefined {
  if (problems.length === 0) return undefined;
  // One line in the log.
  const lines = problemLines(problems).map((line) => line.replaceAll("\n", " "));
  const more = lines.length > MOST_PROBLEMS ? ` | and ${lines.length - MOST_PROBLEMS} more` : "";
  return `The configuration has errors, so ${STAY}: ${lines.slice(0, MOST_PROBLEMS).join(" | ")}${more}`;
}

function counts({ groups, datasets, tos, origins }: CaveSettings) {
  return { groups: groups.length, datasets: datasets.length, terms: tos.length, origins: origins.length };
}

function described(settings: CaveSettings): string {
  const { groups, datasets, terms, origins } = counts(settings);
  const number = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;
  return [
    number(groups, "group", "groups"),
    number(datasets, "dataset", "datasets"),
    number(terms, "set of terms", "sets of terms"),
    number(origins, "origin", "origins"),
  ].join(", ");
}

/** `time`: milliseconds since the epoch. True for a file that is gone. */
function changedSince(path: string, time: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.ctimeMs >= time;
}
