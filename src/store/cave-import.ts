/** Taking over the people of a middle_auth server. */
import type { CaveImporter } from "../domain/ports/cave-import.ts";
import type { Backend } from "./commands/backend.ts";

/** Implements `CaveImporter`. */
export function caveImporter(backend: Backend): CaveImporter {
  return { import: (request) => backend.write("cave.import", request) };
}
