/**
 * `--scalable`: whether several processes can share a configuration. A key that each process makes for itself would be
 * unknown to the others.
 */
import type { Config } from "../../config/model.ts";
import { parseDatabaseUri } from "../../database-uri/database-uri.ts";
import { OperatorError } from "../../errors.ts";

export function checkScalable({ authentication, database }: Config): void {
  const missing: string[] = [];
  if (authentication.providers.length === 0) {
    if (authentication.singleUserApiKey === null) {
      missing.push(
        "authentication.single_user_api_key (or --api-key, or TILED_SINGLE_USER_API_KEY): each process would make its own key.",
      );
    }
  } else {
    if (authentication.secretKeys === null) {
      missing.push(
        "authentication.secret_keys (or TILED_SECRET_KEYS): no process would accept the tokens of another.",
      );
    }
    if (parseDatabaseUri(database.uri?.reveal() ?? null).kind !== "postgresql") {
      missing.push(
        "database.uri (or TILED_DATABASE_URI) of PostgreSQL: with SQLite no process would know the failed logins at the others.",
      );
    }
  }
  if (missing.length === 0) return;
  throw new OperatorError(
    [
      "Several processes cannot share this configuration (--scalable). It lacks:",
      ...missing.map((line) => `  ${line}`),
    ].join("\n"),
  );
}
