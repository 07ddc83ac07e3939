/**
 * `tiled config migrate`: writes the two files of a divided configuration, checks ours, and prints the next commands.
 * `config/migrate/` decides the division.
 */
import { mkdir, open, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Document } from "yaml";
import { holdsSecret } from "../../config/migrate/authentication.ts";
import { readDocument, type SourceDocument } from "../../config/migrate/document.ts";
import { moveRelativePaths } from "../../config/migrate/paths.ts";
import { type Division, divide } from "../../config/migrate/split.ts";
import { OperatorError } from "../../errors.ts";
import { ConfigError, problemLines } from "../../yaml/problems.ts";
import { shellWord } from "../console/shell.ts";
import type { Terminal } from "../console/terminal.ts";
import { type ConfigIo, loadWhole } from "./check.ts";

type MigrateIo = ConfigIo & Pick<Terminal, "command">;

export interface MigrateOptions {
  readonly out?: string | undefined;
  readonly upstreamPort: number;
  readonly force?: boolean | undefined;
}

const OURS = "tiled-auth.yml";
const THEIRS = "tiled.yml";

/** Throws an `OperatorError` if nothing can be written, or if our file still has errors. */
export async function migrate(path: string, options: MigrateOptions, io: MigrateIo): Promise<void> {
  const source = readDocument(path);
  const division = divide(source, { name: basename(path), upstreamPort: options.upstreamPort, env: io.env });
  if (division === null) {
    const texts = source.files.map(async (file) => [file, await readFile(file, "utf8")] as const);
    await checkOurs(path, new Map(await Promise.all(texts)), io);
    io.out(
      "Nothing in this file needs a real Tiled: this server can serve it unchanged. No file was written.",
    );
    io.out(`  ${io.command.map(shellWord).join(" ")} serve config ${shellWord(path)}`);
    return;
  }
  const force = options.force === true;
  const folder = resolve(options.out ?? dirname(resolve(path)));
  moveRelativePaths(division.ours, source.directory, folder);
  const files = [
    { file: join(folder, OURS), document: division.ours },
    { file: join(folder, THEIRS), document: division.theirs },
  ];
  await refuseExisting(
    files.map(({ file }) => file),
    source,
    force,
  );
  await mkdir(folder, { recursive: true });
  for (const { file, document } of files) await write(file, document, source.mode, force);
  tell(division, source, folder, io);
  const ours = join(folder, OURS);
  await checkOurs(ours, new Map([[ours, text(division.ours)]]), io);
}

async function refuseExisting(
  files: readonly string[],
  source: SourceDocument,
  force: boolean,
): Promise<void> {
  const sources = new Set(source.files.map((file) => resolve(file)));
  for (const file of files) {
    if (sources.has(file))
      throw new OperatorError(
        `${file} is the source, which is never overwritten. Use --out to write elsewhere.`,
      );
    const there = await stat(file).catch(() => undefined);
    if (there !== undefined && !force)
      throw new OperatorError(`${file} exists. Use --force to overwrite it, or --out to write elsewhere.`);
  }
}

async function write(file: string, document: Document, sourceMode: number, force: boolean): Promise<void> {
  const mode = holdsSecret(document.contents) ? 0o600 : sourceMode & 0o666;
  const handle = await open(file, force ? "w" : "wx", mode);
  try {
    // An existing file keeps its mode otherwise.
    if (mode === 0o600) await handle.chmod(mode);
    await handle.writeFile(text(document));
  } finally {
    await handle.close();
  }
}

function text(document: Document): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function tell(
  { moved, notes, newSecret }: Division,
  source: SourceDocument,
  folder: string,
  io: MigrateIo,
): void {
  const here = (name: string) => shellWord(relative(".", join(folder, name)));
  io.out(`${here(OURS)}: this server: logins, keys and the gateway.`);
  io.out(`${here(THEIRS)}: the real Tiled behind it: ${moved.join(", ")}.`);
  for (const note of notes) io.out(`Note: ${note}.`);
  io.out("Start both in the folder where the Tiled was started before:");
  if (newSecret !== null)
    io.out(`  export ${newSecret}=$(openssl rand -hex 32)   # one secret for both, the same at each start`);
  const modules =
    folder === source.directory ? "" : `PYTHONPATH=${shellWord(relative(".", source.directory) || ".")} `;
  io.out(`  ${modules}tiled serve config ${here(THEIRS)}   # the Python package's command`);
  io.out(`  ${io.command.map(shellWord).join(" ")} serve config ${here(OURS)}`);
}

/** Unset variables count as set. `texts`: of the files at the path, by name. */
async function checkOurs(path: string, texts: ReadonlyMap<string, string>, io: ConfigIo): Promise<void> {
  const names = [...texts.values()].flatMap((text) => [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)]);
  const unset = names.flatMap(([, name = ""]) => (Object.hasOwn(io.env, name) ? [] : [name]));
  const env = { ...Object.fromEntries(unset.map((name) => [name, "0123456789abcdef".repeat(4)])), ...io.env };
  try {
    await loadWhole(path, { ...io, env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const left = error.problems.filter(({ file, line }) => {
      const text = texts.get(file)?.split("\n")[line - 1];
      return text === undefined || !unset.some((name) => text.includes(name));
    });
    if (left.length > 0)
      throw new OperatorError(`${path} still has errors.\n${problemLines(left).join("\n")}`);
  }
}
