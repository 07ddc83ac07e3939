/** Sessions: reads their status. Opening, refreshing and ending them is in `commands/`. */
import type { SessionStore } from "../domain/ports/sessions.ts";
import type { Uuid } from "../lib/uuid.ts";
import { writeState } from "./base/codec.ts";
import { type Args, statement } from "./base/statement.ts";
import type { Backend } from "./commands/backend.ts";
import { requireStorable } from "./identities.ts";

const byUuid = statement((db, { uuid }: Args<{ uuid: Uuid }>) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("s.uuid", "=", uuid)
    .select(["s.uuid", "p.uuid as principal", "s.expiration_time as expirationTime", "s.revoked", "s.state"]),
);

/** Implements `SessionStore`. */
export function sessionStore(backend: Backend): SessionStore {
  return {
    status: (uuid) =>
      backend.read(async (db) => {
        const found = await db.one(byUuid, { uuid });
        return found && { ...found, state: found.state ?? {} };
      }),
    open: async (request) => {
      requireStorable(request.identity);
      return backend.write("session.open", { ...request, state: writeState(request.state) });
    },
    rotate: (request) => backend.write("session.rotate", request),
    revoke: (request) => backend.write("session.revoke", request),
  };
}
