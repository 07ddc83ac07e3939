/**
 * The closed table of commands, which are all writes to the database. Each has a name, so that it can be sent to the thread that
 * owns SQLite's writing connection.
 */

import type { Db } from "../base/statement.ts";
import { revokeOthers } from "./account.ts";
import { revokeAdmin } from "./admins.ts";
import { createKey, revokeKeys, touchKeys } from "./api-keys.ts";
import { issueCode, redeemCode, takeCode, useState } from "./browser-logins.ts";
import { openBrowserSession, touchBrowserSession } from "./browser-session.ts";
import { acceptTerms, endCaveLogin, openCaveLogin, replaceToken, revokeToken } from "./cave.ts";
import {
  collectDevice,
  confirmDevice,
  countWrongCode,
  refuseDevice,
  signInDevice,
  startDevice,
} from "./device.ts";
import { revokeSession } from "./end-session.ts";
import { collectHandedOver } from "./handed-over-devices.ts";
import { importCave } from "./import-cave.ts";
import { linkIdentity, unlinkIdentity } from "./linking.ts";
import { removeAccount, renameAccount, setPassword } from "./local-account-ends.ts";
import { linkAccount, useLink } from "./local-account-links.ts";
import { addAccounts, rehash, setAccount } from "./local-accounts.ts";
import { createService, ensureAdmins, ensureUser, setDisabled } from "./principals.ts";
import { probe, purge } from "./purge.ts";
import { rotateSession } from "./rotate-session.ts";
import { openSession } from "./sessions.ts";
import { appendEvents } from "./steps/audit.ts";
import { listSpellings, listTwins } from "./steps/spellings.ts";

/** Runs inside a transaction. Its arguments and its result must survive a structured clone. */
export type Command<A, R> = (db: Db, args: A) => Promise<R>;

/** Commands by name. */
export const COMMANDS = {
  "principal.create_service": createService,
  "principal.set_disabled": setDisabled,
  "principal.revoke_admin": revokeAdmin,
  "principal.ensure_admins": ensureAdmins,
  "principal.ensure_user": ensureUser,
  "principal.twins": listTwins,
  "principal.spellings": listSpellings,
  "session.open": openSession,
  "session.rotate": rotateSession,
  "session.revoke": revokeSession,
  "api_key.create": createKey,
  "api_key.revoke": revokeKeys,
  "api_key.touch": touchKeys,
  "device.start": startDevice,
  "device.sign_in": signInDevice,
  "device.confirm": confirmDevice,
  "device.count_wrong": countWrongCode,
  "device.refuse": refuseDevice,
  "device.collect": collectDevice,
  "device.collect_handed_over": collectHandedOver,
  "browser_login.use": useState,
  "browser_login.issue_code": issueCode,
  "browser_login.take_code": takeCode,
  "browser_login.redeem_code": redeemCode,
  "browser_session.open": openBrowserSession,
  "browser_session.touch": touchBrowserSession,
  "account.revoke_others": revokeOthers,
  "identity.link": linkIdentity,
  "identity.unlink": unlinkIdentity,
  "local_account.add": addAccounts,
  "local_account.rehash": rehash,
  "local_account.set": setAccount,
  "local_account.set_password": setPassword,
  "local_account.link": linkAccount,
  "local_account.use_link": useLink,
  "local_account.rename": renameAccount,
  "local_account.remove": removeAccount,
  "cave.replace_token": replaceToken,
  "cave.revoke_token": revokeToken,
  "cave.open_login": openCaveLogin,
  "cave.end_login": endCaveLogin,
  "cave.accept_terms": acceptTerms,
  "audit.append": appendEvents,
  "cave.import": importCave,
  "maintenance.purge": purge,
  "maintenance.probe": probe as Command<object, void>,
} as const satisfies Record<string, Command<never, unknown>>;

type Commands = typeof COMMANDS;

/** Name of a command. */
export type CommandName = keyof Commands;
/** Arguments of a command. */
export type CommandArgs<N extends CommandName> = Parameters<Commands[N]>[1];
/** Result of a command. */
export type CommandResult<N extends CommandName> = Awaited<ReturnType<Commands[N]>>;
