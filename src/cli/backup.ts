/**
 * `tiled admin backup` and `restore`: what is said of them, and their rows in the audit table of the database concerned.
 */
import { basename } from "node:path";
import { parseDatabaseUri } from "../database-uri/database-uri.ts";
import type { AuditEventName } from "../domain/model/entities.ts";
import { systemClock } from "../lib/clock.ts";
import { backupDatabase, restoreDatabase } from "../store/backup.ts";
import type { Counts } from "../store/base/row-counts.ts";
import { inspectDatabase, isCurrent } from "../store/open.ts";
import { COMMAND_LINE, reachable, withStore } from "./database.ts";
import { type DatabaseOptions, target } from "./target.ts";
import type { Terminal } from "./terminal.ts";

export async function backup(
  file: string,
  options: DatabaseOptions & { readonly force?: boolean },
  terminal: Terminal,
): Promise<void> {
  const uri = reachable(target(options, terminal).database);
  const { counts, bytes } = await backupDatabase(uri, file, options.force === true);
  await note(uri, "database_backed_up", { file: basename(file), bytes }, terminal);
  const { shown } = parseDatabaseUri(uri);
  terminal.out(`Backed up the database at ${shown} to ${file} (${bytes} bytes): ${rows(counts)}.`);
  terminal.out("It holds the hashes of keys and all names: keep it as secret as the database.");
}

export async function restore(file: string, options: DatabaseOptions, terminal: Terminal): Promise<void> {
  const uri = reachable(target(options, terminal).database);
  const { counts, aside } = await restoreDatabase(uri, file);
  await note(uri, "database_restored", { file: basename(file) }, terminal);
  terminal.out(`Restored the database at ${parseDatabaseUri(uri).shown} from ${file}: ${rows(counts)}.`);
  if (aside !== null) terminal.out(`The database that was there before is kept as ${aside}.`);
  terminal.out(
    "Sessions and keys that were revoked, and people who were disabled, after the backup was made are valid again: revoke and disable them once more.",
  );
}

function rows(counts: Counts): string {
  const of = (table: string) => counts[table] ?? 0;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return `${counted(of("principals"), "principal")}, ${counted(of("sessions"), "session")}, ${counted(of("api_keys"), "API key")}, ${counted(all, "row")} in all`;
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** Where the table is not there, or of another version, it is not made for the sake of a note. */
async function note(
  uri: string,
  event: AuditEventName,
  detail: Readonly<Record<string, string | number>>,
  terminal: Terminal,
): Promise<void> {
  if (!isCurrent(await inspectDatabase(uri))) {
    terminal.err("This is not in the audit table, since the database is of another version.");
    return;
  }
  await withStore({ database: uri }, terminal, async ({ audit }) => {
    const { operator = "" } = COMMAND_LINE;
    const by = { by: "command line", os_user: operator };
    const time = new Date(systemClock.now());
    await audit.append([
      { ...COMMAND_LINE, time, event, principal: null, identity: null, detail: { ...detail, ...by } },
    ]);
  });
}
