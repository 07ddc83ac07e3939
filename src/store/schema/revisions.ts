/**
 * The revisions of Tiled's authentication database, the classification of an inspected database, and the message that tells an
 * operator what to do about it. Nothing here touches a database.
 */
import { OperatorError } from "../../errors.ts";

/** Revision of a new database. */
export const CURRENT_REVISION = "0a017b76d0d0";

/** Revisions that are served without changes. */
export const SERVED_REVISIONS: readonly string[] = [CURRENT_REVISION, "2d1b550e12e0"];

/** Known revisions whose schema lacks something that the server needs. */
export const OLDER_REVISIONS: readonly string[] = [
  "d829476bc173",
  "27e069ba3bf5",
  "a806cc635ab2",
  "0c705a02954c",
  "d88e91ea03f9",
  "13024b8a6b74",
  "769180ce732e",
  "c7bd2573716d",
  "4a9dfaba4a98",
  "56809bcbfcb0",
  "722ff4e4fcc7",
  "481830dd6c11",
];

/** Result of inspecting a database. */
export interface Inspection {
  /** URI or path of the database, without the password. */
  readonly shown: string;
  readonly dialect: "sqlite" | "postgresql";
  /**
   * `absent`: no such file. `empty`: no tables. `served`, `older`: by revision. `unknown`: a revision that this version does
   * not know. `catalog`: Tiled's catalog. `foreign`: tables of another application. `no_database`: another kind of file.
   */
  readonly kind: "absent" | "empty" | "served" | "older" | "unknown" | "catalog" | "foreign" | "no_database";
  readonly revision: string | null;
  /** Name of the newest of our migrations that has run; null if none has. */
  readonly level: string | null;
}

/** Classifies a database by its tables and its revision. */
export function classify(
  tables: ReadonlySet<string>,
  revisions: readonly string[],
): Pick<Inspection, "kind" | "revision"> {
  const [revision = null, ...others] = revisions;
  if (tables.size === 0) return { kind: "empty", revision: null };
  if (tables.has("nodes") && tables.has("data_sources")) return { kind: "catalog", revision };
  if (revision === null) return { kind: "foreign", revision: null };
  if (others.length > 0) return { kind: "unknown", revision: revisions.join(", ") };
  if (OLDER_REVISIONS.includes(revision)) return { kind: "older", revision };
  if (!SERVED_REVISIONS.includes(revision)) return { kind: "unknown", revision };
  // A version table alone is not a database.
  return { kind: tables.has("principals") && tables.has("sessions") ? "served" : "foreign", revision };
}

function uriOf({ shown, dialect }: Inspection): string {
  return dialect === "sqlite" ? `sqlite:///${shown}` : shown;
}

function upgradeOfTiled(inspection: Inspection): string {
  return `Make a backup, then run Tiled's own upgrade (pip install "tiled[server]"): tiled admin upgrade-database ${uriOf(inspection)}`;
}

/** Advice for a database that is served although a newer Tiled would refuse it; undefined if it is at the newest revision. */
export function behind(inspection: Inspection): string | undefined {
  const { kind, revision } = inspection;
  if (kind !== "served" || revision === CURRENT_REVISION) return undefined;
  return `Tiled's own tables are at revision ${revision}. This server can use them as they are, and only Tiled upgrades them. Tiled 0.2.19 and later need ${CURRENT_REVISION}. ${upgradeOfTiled(inspection)}`;
}

/** Message for the operator about a database that cannot be served. */
export function complaint(inspection: Inspection): string {
  const { kind, revision, shown } = inspection;
  const uri = uriOf(inspection);
  switch (kind) {
    case "absent":
      return `There is no database at ${shown}. To create it, set database.init_if_not_exists: true, or run: tiled admin initialize-database ${uri}`;
    case "empty":
      return `The database at ${shown} is empty. To initialize it, set database.init_if_not_exists: true, or run: tiled admin initialize-database ${uri}`;
    case "older":
      return `The database at ${shown} is at revision ${revision} of an older Tiled; this server needs ${SERVED_REVISIONS.join(" or ")}. ${upgradeOfTiled(inspection)}`;
    case "unknown":
      return `The database at ${shown} is at revision ${revision}, which this version does not know (it serves ${SERVED_REVISIONS.join(" and ")}). It may belong to a newer Tiled or to another application. It was not changed.`;
    case "catalog":
      return `The database at ${shown} is a catalog of Tiled's data service (revision ${revision}), not an authentication database. Give authentication a database of its own.`;
    case "foreign":
      return `The database at ${shown} holds tables of another application, not Tiled's authentication database. It was not changed.`;
    case "no_database":
      return `${shown} is not a SQLite database. It was not changed.`;
    case "served":
      return `The database at ${shown} is at revision ${revision}.`;
  }
}

/** Error for a database that cannot be served. */
export function refuse(inspection: Inspection): OperatorError {
  return new OperatorError(complaint(inspection));
}
