/**
 * `tiled admin make-admin` and `revoke-admin`. They check against the configuration, which is unknown with `--database`.
 */
import type { Config } from "../../config/model.ts";
import type { IdentityRef, PrincipalSummary } from "../../domain/model/entities.ts";
import type { Store } from "../../domain/ports/store.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, withStore } from "./database.ts";
import { findPrincipal, lastAdmin, named, now, shown } from "./principals.ts";
import type { DatabaseOptions } from "./target.ts";

export async function makeAdmin(
  identity: IdentityRef,
  options: DatabaseOptions,
  terminal: Terminal,
): Promise<void> {
  const summary = await withStore(options, terminal, async ({ principals }, config) => {
    if (config !== null) requireProvider(identity, config);
    await principals.ensureAdmins({ identities: [identity], now: now(), context: COMMAND_LINE });
    return principals.summaryOfIdentity(identity);
  });
  terminal.out(`${named(identity)} has the roles user and admin.`);
  if (summary?.disabled) {
    terminal.out(`The account is disabled. To let them log in: tiled admin enable ${summary.uuid}`);
  }
}

function requireProvider({ provider }: IdentityRef, { authentication }: Config): void {
  const names = authentication.providers.map((known) => known.provider);
  if (names.includes(provider)) return;
  throw new OperatorError(
    `The configuration has no provider ${printable(provider)}, so this user could never log in. It has: ${names.join(", ") || "none"}.`,
  );
}

/** Without `id` the first argument names the principal, as for the other verbs. */
export async function revokeAdmin(
  who: string,
  id: string | undefined,
  options: DatabaseOptions,
  terminal: Terminal,
): Promise<void> {
  await withStore(options, terminal, async (store, config) => {
    const principal = await found(store, who, id);
    const { kind } = await store.principals.revokeAdmin({
      principal: principal.uuid,
      now: now(),
      context: COMMAND_LINE,
    });
    if (kind === "last_admin") throw lastAdmin(principal);
    if (kind !== "done") throw new OperatorError(`${shown(principal)} does not have the role admin.`);
    terminal.out(`${shown(principal)} no longer has the role admin.`);
    const listed = config === null ? [] : inTiledAdmins(principal, config);
    if (listed.length > 0) {
      terminal.out(
        `${listed.map(named).join(", ")} is in authentication.tiled_admins, so the next start of a server or the next login gives it back. Remove it there, and restart the servers.`,
      );
    }
  });
}

function found(store: Store, who: string, id: string | undefined): Promise<PrincipalSummary> {
  return findPrincipal(store, id === undefined ? who : `${who}:${id}`);
}

function inTiledAdmins({ identities }: PrincipalSummary, { authentication }: Config): readonly IdentityRef[] {
  return identities.filter(({ provider, id }) =>
    authentication.admins.some((admin) => admin.provider === provider && admin.id === id),
  );
}
