/** The files that `tiled admin import-cave` writes, which it replaces only if it may. `cave-section.ts` makes their texts. */
import { open, readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { addressProblems } from "../../config/cave-address.ts";
import { FORMATS } from "../../config/formats.ts";
import type { Config } from "../../config/model.ts";
import type { CaveExport, ExportedTerms } from "../../domain/model/cave-import.ts";
import { OperatorError } from "../../errors.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { formatProblem } from "../../yaml/formats.ts";
import type { Terminal } from "../console/terminal.ts";
import { caveSection, type Section } from "./cave-section.ts";

export interface OutputOptions {
  readonly serverAddress?: string;
  readonly output: string;
  readonly force?: boolean;
}

/** The part of the import's outcome that the files depend on. */
interface Outcome {
  readonly services: ReadonlyMap<number, Uuid>;
}

/** The configuration file, and files for terms whose text cannot be part of it. */
export class OutputFiles {
  readonly #options: OutputOptions;
  readonly #serverAddress: string;
  readonly #source: { readonly exported: CaveExport; readonly path: string; readonly provider: string };

  constructor(
    options: OutputOptions,
    { cave }: Config,
    source: { readonly exported: CaveExport; readonly path: string; readonly provider: string },
  ) {
    this.#options = options;
    this.#source = source;
    const address = options.serverAddress ?? cave?.serverAddress;
    if (address === undefined) {
      throw new OperatorError(
        "Name the address that users give to CAVEclient with --server-address, e.g. https://cave.example.org.",
      );
    }
    const wrong = formatProblem(FORMATS["web-address"], address, "--server-address");
    if (wrong !== undefined) throw new OperatorError(wrong);
    const [problem] = addressProblems(new URL(address));
    if (problem !== undefined) throw new OperatorError(`--server-address: ${problem}`);
    this.#serverAddress = address;
  }

  /** Before anything is written: another file is not replaced without --force. */
  async refuseOther(plan: Outcome): Promise<void> {
    if (this.#options.force === true) return;
    const { files } = this.#section(plan);
    for (const [file, text] of files) {
      const there = await textOf(file);
      if (there === undefined || there === text) continue;
      throw new OperatorError(
        `${file} exists and has other content. Nothing was changed. Use --output to write elsewhere and compare, or --force to overwrite it. --dry-run tells what differs in the database.`,
      );
    }
  }

  /** What an import would write, for a dry run. */
  async preview(plan: Outcome, io: Terminal): Promise<void> {
    const { section, files } = this.#section(plan);
    for (const note of section.notes) io.out(`Note: ${note}`);
    for (const [file, text] of files) {
      const there = await textOf(file);
      if (there === text) io.out(`${file} is up to date.`);
      else if (there === undefined || this.#options.force === true) io.out(`Would write ${file}.`);
      else io.out(`${file} exists and has other content: use another --output, or --force to overwrite it.`);
    }
  }

  async write(outcome: Outcome, io: Terminal): Promise<void> {
    const { section, files } = this.#section(outcome);
    for (const note of section.notes) io.out(`Note: ${note}`);
    for (const [file, text] of files) {
      const there = await readFile(file, "utf8").catch(() => undefined);
      if (there === text) {
        io.out(`${file} is up to date.`);
        continue;
      }
      await replace(file, text);
      io.out(`Wrote ${file}, readable by its owner only.`);
    }
  }

  #section(outcome: Outcome): {
    readonly section: Section;
    readonly files: readonly (readonly [string, string])[];
  } {
    const { output } = this.#options;
    const { exported, path, provider } = this.#source;
    const section = caveSection(exported, {
      source: basename(path),
      provider,
      serverAddress: this.#serverAddress,
      services: outcome.services,
      termsFile: ({ id }: ExportedTerms) => `${basename(output, extname(output))}-terms-${id}.txt`,
    });
    const beside = [...section.files].map(([name, text]) => [join(dirname(output), name), text] as const);
    return { section, files: [[output, section.text], ...beside] };
  }
}

/** Undefined if there is no such file. */
function textOf(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new OperatorError(`${file} cannot be read: ${error.message}.`);
  });
}

/** Only for its owner: it has names and e-mail addresses. */
async function replace(file: string, text: string): Promise<void> {
  try {
    const handle = await open(file, "w", 0o600);
    try {
      await handle.chmod(0o600);
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { message } = error as Error;
    throw new OperatorError(
      `The database is done, but ${file} cannot be written: ${message}. Run the command again with another --output.`,
    );
  }
}
