/** What keeps the database in order: purging what has expired, and a look whether it can be changed. */
import type { Maintenance } from "../domain/ports/maintenance.ts";
import type { Backend } from "./commands/backend.ts";

export function maintenance(backend: Backend): Maintenance {
  return {
    purge: (request) => backend.write("maintenance.purge", request),
    ping: async () => {
      await backend.write("maintenance.probe", {});
      await backend.ping();
    },
  };
}
