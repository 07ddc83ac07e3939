/** Database maintenance: purges expired rows and checks that the database accepts writes. */
import type { Maintenance } from "../domain/ports/maintenance.ts";
import type { Backend } from "./commands/backend.ts";

/** Implements `Maintenance`. */
export function maintenance(backend: Backend): Maintenance {
  return {
    purge: (request) => backend.write("maintenance.purge", request),
    ping: async () => {
      await backend.write("maintenance.probe", {});
      await backend.ping();
    },
  };
}
