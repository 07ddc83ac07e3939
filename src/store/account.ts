/**
 * Reads of the account page: a user's live sessions with the origin of each. `commands/account.ts` ends sessions,
 * `commands/linking.ts` links and unlinks identities, `commands/api-keys.ts` handles keys.
 */

import type { AccountSession, AccountStore } from "../domain/ports/accounts.ts";
import type { Uuid } from "../lib/uuid.ts";
import { type Args, statement } from "./base/statement.ts";
import type { Backend } from "./commands/backend.ts";
import { requireStorable } from "./identities.ts";

const liveSessions = statement((db, { principal, now }: Args<{ principal: Uuid; now: Date }>) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .leftJoin("tiled_auth_session_origins as o", "o.session_id", "s.id")
    .leftJoin("tiled_auth_browser_sessions as b", "b.session_id", "s.id")
    .where("p.uuid", "=", principal)
    .where("s.revoked", "=", (eb) => eb.lit(false))
    .where("s.expiration_time", ">", now)
    .select(["s.uuid", "s.time_created", "s.time_last_refreshed", "s.expiration_time"])
    .select(["o.provider", "o.identity", "o.address", "o.user_agent", "b.session_id as browser"])
    .orderBy((eb) => eb.fn.coalesce("s.time_last_refreshed", "s.time_created"), "desc")
    .orderBy("s.id", "desc"),
);

/**
 * One index look-up per identity, regardless of the number of logins. An identity whose newest session belongs to a
 * previous owner contributes nothing: none of its older sessions are used either.
 */
const newestState = statement((db, { principal, provider }: Args<{ principal: Uuid; provider: string }>) =>
  db
    .selectFrom("identities as i")
    .innerJoin("sessions as s", (join) =>
      join
        .on("s.id", "=", (eb) =>
          eb
            .selectFrom("tiled_auth_session_origins as o")
            .whereRef("o.provider", "=", "i.provider")
            .whereRef("o.identity", "=", "i.id")
            .select((newest) => newest.fn.max("o.session_id").as("newest")),
        )
        // `coalesce` keeps the planner off this column's index, which holds every session the principal ever had.
        .on((eb) => eb(eb.fn.coalesce("s.principal_id", "s.principal_id"), "=", eb.ref("i.principal_id"))),
    )
    .leftJoin("tiled_auth_login_states as k", "k.session_id", "s.id")
    .where("i.provider", "=", provider)
    .where("i.principal_id", "=", (eb) =>
      eb.selectFrom("principals as p").where("p.uuid", "=", principal).select("p.id"),
    )
    .select(["s.state", "k.state as kept"])
    .orderBy("s.id", "desc")
    .limit(1),
);

const profilesOf = statement((db, { principal }: Args<{ principal: Uuid }>) =>
  db
    .selectFrom("principals as p")
    .innerJoin("identities as i", "i.principal_id", "p.id")
    .innerJoin("tiled_auth_profiles as f", (join) =>
      join.onRef("f.provider", "=", "i.provider").onRef("f.identity", "=", "i.id"),
    )
    .where("p.uuid", "=", principal)
    .select(["i.provider", "i.id", "f.name", "f.email"]),
);

/** Implements `AccountStore`. `link` throws the `Failure` of `requireStorable` for an identity that cannot be stored. */
export function accountStore(backend: Backend): AccountStore {
  return {
    latestState: (principal, provider) =>
      backend.read(async (db) => {
        const found = await db.one(newestState, { principal, provider });
        return found?.kept ?? found?.state ?? undefined;
      }),
    profiles: (principal) => backend.read((db) => db.all(profilesOf, { principal })),
    sessions: (principal, now) =>
      backend.read(async (db) =>
        (await db.all(liveSessions, { principal, now })).map(
          (row): AccountSession => ({
            uuid: row.uuid,
            startedAt: row.time_created,
            lastUsed: row.time_last_refreshed,
            expirationTime: row.expiration_time,
            browser: row.browser !== null,
            identity:
              row.provider === null || row.identity === null
                ? null
                : { provider: row.provider, id: row.identity },
            address: row.address,
            userAgent: row.user_agent,
          }),
        ),
      ),
    revokeOthers: (request) => backend.write("account.revoke_others", request),
    link: async (request) => {
      requireStorable(request.identity);
      return backend.write("identity.link", request);
    },
    unlink: (request) => backend.write("identity.unlink", request),
  };
}
