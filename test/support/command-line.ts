/**
 * One command line of a program, ours or the real `tiled`, with its streams apart (`command_line.py`), and what it leaves on
 * disk: logins, profiles, the default profile. Each person has a folder of their own.
 */
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Cleanup, temporaryFolder } from "./folders.ts";
import { program } from "./python.ts";

const SCRIPT = fileURLToPath(new URL("../real/command_line.py", import.meta.url));

export interface Line {
  readonly args: readonly string[];
  /** Prompts and what is typed. Null: `person` acts on what was printed. */
  readonly dialogue?: readonly (readonly [prompt: string, answer: string | null])[];
  /** Whether stdin is a terminal. Default: if there is a dialogue. */
  readonly terminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly person?: (seen: string) => Promise<unknown>;
}

export interface Ran {
  /** Negative: the signal that ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Written to the terminal by its name, such as `Password: `. */
  readonly screen: string;
}

interface Runner {
  readonly stdin: Writable;
  readonly answers: AsyncIterator<string>;
}

/** A person's files. */
export class Home {
  readonly folder: string;

  readonly #cleanup: Cleanup;
  #runner: Runner | undefined;

  private constructor(folder: string, cleanup: Cleanup) {
    this.folder = folder;
    this.#cleanup = cleanup;
  }

  static async make(cleanup: Cleanup): Promise<Home> {
    const home = new Home(await temporaryFolder(cleanup), cleanup);
    await mkdir(join(home.folder, "site"));
    return home;
  }

  get env(): Record<string, string | undefined> {
    return {
      HOME: this.folder,
      TILED_CACHE_DIR: join(this.folder, "cache"),
      TILED_PROFILES: join(this.folder, "tiled", "profiles"),
      TILED_SITE_PROFILES: join(this.folder, "site"),
      TILED_API_KEY: undefined,
      TILED_FORCE_PROMPT: undefined,
      TILED_RETRY_ATTEMPTS: "2",
      TILED_RETRY_TIMEOUT: "5",
      PYTHONWARNINGS: "ignore",
      COLUMNS: "200",
      NO_COLOR: "1",
      // The person of a test has a browser; the program opens none.
      BROWSER: "true",
    };
  }

  /** One line at a time. */
  async run(command: readonly string[], line: Line): Promise<Ran> {
    const { args, dialogue = [], terminal = dialogue.length > 0, env = {}, person } = line;
    this.#runner ??= this.#start();
    const { stdin, answers } = this.#runner;
    stdin.write(`${JSON.stringify({ command: [...command, ...args], env, terminal, dialogue })}\n`);
    for (;;) {
      const { value, done } = await answers.next();
      if (done) throw new Error(`${args.join(" ")} was not run`);
      const report = JSON.parse(value) as Ran | { readonly seen: string };
      if (!("seen" in report)) return report;
      await person?.(report.seen);
    }
  }

  #start(): Runner {
    const child = spawn(program("python"), [SCRIPT], {
      cwd: this.folder,
      env: { ...process.env, ...this.env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#cleanup(async () => child.kill("SIGKILL"));
    return { stdin: child.stdin, answers: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }

  /** Profiles with their text, logins with the mode of each file. */
  async files(): Promise<Record<string, string>> {
    const files: Record<string, string> = {};
    for (const entry of await readdir(this.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(this.folder.length + 1);
      if (name.startsWith("cache/"))
        files[name.replace(/http%3A[^/]*/, "<api>")] = ((await stat(path)).mode & 0o777).toString(8);
      else if (name.startsWith("tiled/")) files[name] = await readFile(path, "utf8");
    }
    return files;
  }
}
