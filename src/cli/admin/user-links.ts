/**
 * `tiled admin user invite` and `reset-password`: links that set a password once. `user-verbs.ts` has their options. Only the
 * digest of a link is stored, so it is printed here or never.
 */

import { isNewName, NAME_RULE } from "../../authenticators/local/names.ts";
import { linkLifetime } from "../../authenticators/local/settings.ts";
import type { Config } from "../../config/model.ts";
import type { LinkOutcome, LinkPurpose, NewLink } from "../../domain/ports/local-accounts.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import { randomHex, sha256 } from "../../lib/secrets.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, withStore } from "./database.ts";
import { type LocalProvider, localProvider } from "./local-provider.ts";
import { now } from "./principals.ts";
import { type AddOptions, refused, requireStorable, shown, type UserOptions, unknown } from "./users.ts";

export interface InviteOptions extends Omit<AddOptions, "passwordStdin"> {
  readonly expires?: string;
}

interface MadeLink {
  readonly link: NewLink;
  readonly url: string;
}

/** Makes links below the address at which people log in. @throws OperatorError if the configuration has no such address */
export function linkMaker(
  config: Config | null,
  local: LocalProvider,
  purpose: LinkPurpose,
  expires?: string,
): () => MadeLink {
  const base = baseOf(config);
  const byDefault = purpose === "invitation" ? local.invitationMaxAge : local.resetMaxAge;
  const seconds = expires === undefined ? byDefault : linkLifetime(expires, "--expires");
  return () => {
    const secret = randomHex(32);
    const link = { digest: sha256(secret), expirationTime: new Date(now().getTime() + seconds * 1000) };
    return { link, url: `${base}/login/${purpose}/${secret}` };
  };
}

function baseOf(config: Config | null): string {
  if (config === null)
    throw new OperatorError("A link needs the server's address. Name its configuration with --config.");
  const { accountUrl, publicUrl, rootPath } = config.server;
  if (publicUrl === null && accountUrl === null)
    throw new OperatorError(
      "A link needs the address that people open: set server.public_url in the configuration.",
    );
  const path = publicUrl === null ? rootPath : new URL(publicUrl).pathname.replace(/\/$/, "");
  return new URL(accountUrl ?? publicUrl ?? "").origin + path;
}

export async function inviteUser(name: string, options: InviteOptions, terminal: Terminal): Promise<void> {
  const { email = null, group: groups = [], admin = false } = options;
  requireStorable([...groups, ...(email === null ? [] : [email])]);
  await withStore({ ...options, mayCreate: true }, terminal, async ({ localAccounts }, config) => {
    const local = localProvider(config, options.provider);
    const { provider } = local;
    const { link, url } = linkMaker(config, local, "invitation", options.expires)();
    const change = { provider, now: now(), context: COMMAND_LINE } as const;
    if ((await localAccounts.find(provider, name)) === undefined) {
      if (!isNewName(name)) throw new OperatorError(`${printable(name)} is not allowed. ${NAME_RULE}`);
      const account = { name, email, password: link, state: "active", groups: [...new Set(groups)] } as const;
      const added = await localAccounts.add({ ...change, admin, as: "added", accounts: [account] });
      if (added.kind === "refused") throw refused(added.refused, [account]);
    } else {
      if (admin || email !== null || groups.length > 0)
        throw new OperatorError(
          `${shown(provider, name)} exists already. Invite it without other options; 'tiled admin user set' changes it.`,
        );
      requireLinked(
        await localAccounts.link({ ...change, name, purpose: "invitation", link, endNow: false }),
        provider,
        name,
      );
    }
    terminal.out(url);
    terminal.err(`${shown(provider, name)} is invited until ${until(link)}. Earlier links no longer count.`);
  });
}

export async function resetPassword(
  name: string,
  options: UserOptions & { readonly now?: boolean },
  terminal: Terminal,
): Promise<void> {
  const endNow = options.now === true;
  await withStore(options, terminal, async ({ localAccounts }, config) => {
    const local = localProvider(config, options.provider);
    const { provider } = local;
    const { link, url } = linkMaker(config, local, "reset")();
    const change = { provider, name, now: now(), context: COMMAND_LINE } as const;
    const outcome = await localAccounts.link({ ...change, purpose: "reset", link, endNow });
    const sessions = requireLinked(outcome, provider, name);
    terminal.out(url);
    terminal.err(
      `${shown(provider, name)} can choose a new password until ${until(link)}. ${
        endNow
          ? `The password is deleted, and ${sessions} sessions are ended.`
          : "Its password and sessions stay until then."
      }`,
    );
  });
}

/** The number of sessions that were ended. */
function requireLinked(outcome: LinkOutcome, provider: string, name: string): number {
  switch (outcome.kind) {
    case "linked":
      return outcome.sessions;
    case "unknown":
      throw unknown(provider, name);
    case "has_password":
      throw new OperatorError(
        `${shown(provider, name)} has a password already. Use 'tiled admin user reset-password'.`,
      );
    case "no_password":
      throw new OperatorError(`${shown(provider, name)} has no password yet. Use 'tiled admin user invite'.`);
    case "disabled":
      throw new OperatorError(`${shown(provider, name)} is disabled, so no link would work.`);
  }
}

function until({ expirationTime }: NewLink): string {
  return `${expirationTime.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
