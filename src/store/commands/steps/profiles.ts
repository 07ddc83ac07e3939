/**
 * Stores a person's profile (name, verified address) with the identity. An unchanged profile is not written. The foreign key
 * deletes a row with its identity.
 */
import type { IdentityRef } from "../../../domain/model/entities.ts";
import type { Profile } from "../../../domain/ports/authenticator.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

interface Row extends IdentityRef {
  readonly name: string | null;
  readonly email: string | null;
}

const byIdentity = statement((db, { provider, id }: Args<IdentityRef>) =>
  db
    .selectFrom("tiled_auth_profiles")
    .where("provider", "=", provider)
    .where("identity", "=", id)
    .select(["name", "email"]),
);

const keep = statement((db, { provider, id, name, email }: Args<Row>) =>
  db
    .insertInto("tiled_auth_profiles")
    .values({ provider, identity: id, name, email })
    .onConflict((conflict) =>
      conflict.columns(["provider", "identity"]).doUpdateSet((eb) => ({
        name: eb.ref("excluded.name"),
        email: eb.ref("excluded.email"),
      })),
    ),
);

/** Stores a profile. The caller holds the lock of the identity's principal. */
export async function keepProfile(
  db: Db,
  { provider, id }: IdentityRef,
  told: Profile | undefined,
): Promise<void> {
  if (told === undefined) return;
  const known = (await db.one(byIdentity, { provider, id })) ?? { name: null, email: null };
  // An old name is better than none. An address that was left out may no longer be verified.
  const { name = known.name, email = null } = told;
  if (name !== known.name || email !== known.email) await db.run(keep, { provider, id, name, email });
}
