/**
 * `tiled admin backup` and `restore`: their output, and their rows in the audit table.
 */
import { basename } from "node:path";
import { parseDatabaseUri } from "../../database-uri/database-uri.ts";
import type { AuditEventName } from "../../domain/model/entities.ts";
import { systemClock } from "../../lib/clock.ts";
import { backupDatabase, restoreDatabase } from "../../store/backup.ts";
import type { Counts } from "../../store/base/row-counts.ts";
import { inspectDatabase, isCurrent } from "../../store/open.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, reachable, withStore } from "./database.ts";
import { type DatabaseOptions, target } from "./target.ts";

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
  terminal.out("It contains names and hashes of keys: keep it as secret as the database.");
}

export async function restore(file: string, options: DatabaseOptions, terminal: Terminal): Promise<void> {
  const uri = reachable(target(options, terminal).database);
  const { counts, aside } = await restoreDatabase(uri, file);
  await note(uri, "database_restored", { file: basename(file) }, terminal);
  terminal.out(`Restored the database at ${parseDatabaseUri(uri).shown} from ${file}: ${rows(counts)}.`);
  if (aside !== null) terminal.out(`The previous database is kept as ${aside}.`);
  terminal.out(
    "Sessions, keys and accounts that were revoked or disabled after the backup are valid again: revoke and disable them once more.",
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

/** Writes no row if the database has no audit table, or one of another version. */
async function note(
  uri: string,
  event: AuditEventName,
  detail: Readonly<Record<string, string | number>>,
  terminal: Terminal,
): Promise<void> {
  if (!isCurrent(await inspectDatabase(uri))) {
    terminal.err("This is not recorded in the audit table, since the database has another version.");
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
