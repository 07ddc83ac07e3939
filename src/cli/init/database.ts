/** The section `database` of a new configuration. */
import type { Database } from "./answers.ts";
import { type Section, scalar } from "./text.ts";

const PASSWORD = "PGPASSWORD";
const CREATED = "  init_if_not_exists: true # the first start creates its tables";

/** `file`: the absolute path of a new SQLite database. */
export function databaseSection(database: Database, file: string, secretsFile: string): Section {
  if (database.kind === "sqlite")
    return {
      lines: [
        "# Logins, sessions and API keys. Back it up: docs/how-to/operations.md",
        "database:",
        `  uri: ${scalar(`sqlite:///${file}`)}`,
        CREATED,
      ],
      variables: [],
    };
  const { uri } = database;
  return {
    lines: [
      "# Logins, sessions and API keys. Encryption and other parameters: docs/reference/databases.md",
      "database:",
      ...(uri.includes(PASSWORD)
        ? [
            `  # The password is in ${secretsFile}. If none is needed (a socket, or ~/.pgpass), remove it here.`,
          ]
        : []),
      `  uri: ${scalar(uri)}`,
      CREATED,
    ],
    variables: uri.includes(PASSWORD)
      ? [
          {
            name: PASSWORD,
            about:
              "The database's password, with @ : / % written as %40 %3A %2F %25. Fill it in, and remove the '#'.",
            value: null,
          },
        ]
      : [],
  };
}
