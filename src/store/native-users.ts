/** Reads the accounts of JupyterHub's NativeAuthenticator from its SQLite database, which JupyterHub may use at the same time. */
import Database from "better-sqlite3";
import { OperatorError } from "../errors.ts";

/** A row of its table `users_info`. SQLite stores values of any type in any column. */
export interface NativeUser {
  /** Text. */
  readonly username: unknown;
  /** A bcrypt hash, as bytes or text. */
  readonly password: unknown;
  readonly is_authorized: number | null;
  /** Text or null. */
  readonly email: unknown;
  readonly has_2fa: number | null;
}

/** At most `limit` accounts. @throws OperatorError for another file */
export function nativeUsers(file: string, limit: number): readonly NativeUser[] {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      return db
        .prepare(
          "select username, password, is_authorized, email, has_2fa from users_info order by id limit ?",
        )
        .all(limit) as NativeUser[];
    } finally {
      db.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`${file} is not a database of NativeAuthenticator: ${why}.`);
  }
}
