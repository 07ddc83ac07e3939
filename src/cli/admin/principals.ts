/**
 * `tiled admin`: the verbs about principals, their sessions and their keys.
 */
import type { IdentityRef, PrincipalDocument, PrincipalSummary } from "../../domain/model/entities.ts";
import type { Store } from "../../domain/ports/store.ts";
import { OperatorError } from "../../errors.ts";
import { systemClock } from "../../lib/clock.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import { parseUuid, type Uuid } from "../../lib/uuid.ts";
import { table } from "../console/table.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, withStore } from "./database.ts";
import type { DatabaseOptions } from "./target.ts";

export function now(): Date {
  return new Date(systemClock.now());
}

export async function list(
  options: DatabaseOptions & { readonly offset: number; readonly limit: number; readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const print = options.json ? jsonList(terminal) : rows(terminal);
  await withStore(options, terminal, async ({ principals }) => {
    let { offset } = options;
    for (let left = options.limit; left > 0; left -= PAGE) {
      const page = await principals.list({ offset, limit: Math.min(left, PAGE) }, now());
      print.page(page);
      if (page.length < PAGE) break;
      offset += PAGE;
    }
  });
  print.end();
}

/** A statement takes a limited number of values, and the whole list may not fit into memory. */
const PAGE = 500;

interface Printer {
  page(principals: readonly PrincipalDocument[]): void;
  end(): void;
}

function rows(terminal: Terminal): Printer {
  const lines = table([
    "UUID",
    "Type",
    "Identities",
    "Roles",
    "Sessions",
    "API keys",
    "Latest activity (UTC)",
    "",
  ]);
  let empty = true;
  return {
    page: (principals) => {
      if (principals.length === 0) return;
      terminal.out(lines(principals.map(toRow)));
      empty = false;
    },
    end: () => {
      if (empty) terminal.err("No principals.");
    },
  };
}

/** One JSON text for all pages. */
function jsonList(terminal: Terminal): Printer {
  let last: string | undefined;
  return {
    page: (principals) => {
      for (const principal of principals) {
        terminal.out(last === undefined ? "[" : `${last},`);
        const json = printableJson(JSON.stringify(toJson(principal), null, 2));
        last = `  ${json.replaceAll("\n", "\n  ")}`;
      }
    },
    end: () => terminal.out(last === undefined ? "[]" : `${last}\n]`),
  };
}

export async function disable(
  text: string,
  options: DatabaseOptions & { readonly evenLastAdmin?: boolean },
  terminal: Terminal,
): Promise<void> {
  await withStore(options, terminal, async ({ principals }) => {
    const principal = await findPrincipal({ principals }, text);
    const { evenLastAdmin = false } = options;
    const { kind } = await principals.setDisabled({
      principal: principal.uuid,
      disabled: true,
      evenLastAdmin,
      now: now(),
      context: COMMAND_LINE,
    });
    if (kind === "last_admin") throw lastAdmin(principal, ", or use --even-last-admin");
    if (kind === "unknown") throw unknown(text);
    terminal.out(`${shown(principal)} is disabled.`);
  });
}

export async function enable(text: string, options: DatabaseOptions, terminal: Terminal): Promise<void> {
  await withStore(options, terminal, async ({ principals }) => {
    const principal = await findPrincipal({ principals }, text);
    const { kind } = await principals.setDisabled({
      principal: principal.uuid,
      disabled: false,
      now: now(),
      context: COMMAND_LINE,
    });
    if (kind === "unknown") throw unknown(text);
    terminal.out(`${shown(principal)} is enabled.`);
  });
}

export async function revokeSession(
  session: Uuid,
  options: DatabaseOptions,
  terminal: Terminal,
): Promise<void> {
  const outcome = await withStore(options, terminal, ({ sessions }) =>
    sessions.revoke({ session, principal: null, now: now(), context: COMMAND_LINE }),
  );
  if (outcome.kind !== "revoked")
    throw new OperatorError(`There is no session ${session}, or it has expired.`);
  terminal.out(`Session ${session} of principal ${outcome.principal} is revoked.`);
}

export async function revokeSessions(
  text: string,
  options: DatabaseOptions,
  terminal: Terminal,
): Promise<void> {
  await withStore(options, terminal, async (store) => {
    const principal = await findPrincipal(store, text);
    const document = await store.principals.document(principal.uuid, now());
    let revoked = 0;
    for (const { uuid } of document?.sessions.filter((session) => !session.revoked) ?? []) {
      const { kind } = await store.sessions.revoke({
        session: uuid,
        principal: principal.uuid,
        now: now(),
        context: COMMAND_LINE,
      });
      if (kind === "revoked") revoked += 1;
    }
    terminal.out(`${revoked} sessions of ${shown(principal)} are revoked.`);
  });
}

export async function revokeKey(
  text: string,
  firstEight: string,
  options: DatabaseOptions,
  terminal: Terminal,
): Promise<void> {
  await withStore(options, terminal, async (store) => {
    const principal = await findPrincipal(store, text);
    const { kind } = await store.apiKeys.revoke({
      principal: principal.uuid,
      firstEight,
      now: now(),
      context: COMMAND_LINE,
    });
    if (kind === "unknown") throw new OperatorError(`${shown(principal)} has no API key ${firstEight}.`);
    terminal.out(`API key ${firstEight} of ${shown(principal)} is revoked.`);
  });
}

/** By UUID, or by PROVIDER:ID of an identity. A provider's name has no colon. */
export async function findPrincipal(
  store: Pick<Store, "principals">,
  text: string,
): Promise<PrincipalSummary> {
  const uuid = parseUuid(text);
  if (uuid !== undefined) {
    const found = await store.principals.summary(uuid);
    if (found !== undefined) return found;
  }
  const colon = text.indexOf(":");
  if (colon > 0) {
    const identity = { provider: text.slice(0, colon), id: text.slice(colon + 1) };
    const found = await store.principals.summaryOfIdentity(identity);
    if (found !== undefined) return found;
  }
  throw unknown(text);
}

export function lastAdmin(principal: PrincipalSummary, otherwise = ""): OperatorError {
  return new OperatorError(
    `${shown(principal)} is the last working administrator: no other enabled account with the role has logged in or has a valid API key. Let another administrator log in first${otherwise}.`,
  );
}

function unknown(text: string): OperatorError {
  return new OperatorError(
    `There is no principal ${printable(text)}. Use its UUID or PROVIDER:ID; 'tiled admin principals' lists them.`,
  );
}

export function shown({ uuid, identities }: PrincipalSummary): string {
  return identities.length === 0 ? uuid : `${uuid} (${identities.map(named).join(", ")})`;
}

export function named({ provider, id }: IdentityRef): string {
  return printable(`${provider}:${id}`);
}

function toRow({
  uuid,
  note,
  type,
  disabled,
  identities,
  roles,
  sessions,
  apiKeys,
  latestActivity,
}: PrincipalDocument): string[] {
  return [
    uuid,
    type,
    identities.map(({ provider, id }) => `${provider}:${id}`).join(", ") || note || "-",
    roles.map((role) => role.name).join(", ") || "-",
    String(sessions.filter((session) => !session.revoked).length),
    String(apiKeys.length),
    latestActivity === null ? "-" : latestActivity.toISOString().slice(0, 19).replace("T", " "),
    disabled ? "disabled" : "",
  ];
}

/** Names as in the HTTP API. */
function toJson(principal: PrincipalDocument): object {
  return {
    uuid: principal.uuid,
    ...(principal.note !== undefined && { note: principal.note }),
    type: principal.type,
    disabled: principal.disabled,
    identities: principal.identities.map(({ provider, id, latestLogin }) => ({
      provider,
      id,
      latest_login: latestLogin,
    })),
    roles: principal.roles.map(({ name, scopes }) => ({ name, scopes })),
    sessions: principal.sessions.map(({ uuid, expirationTime, revoked }) => ({
      uuid,
      expiration_time: expirationTime,
      revoked,
    })),
    api_keys: principal.apiKeys.map((key) => ({
      first_eight: key.firstEight,
      expiration_time: key.expirationTime,
      note: key.note,
      scopes: key.scopes,
      access_tags: key.accessTags,
      latest_activity: key.latestActivity,
    })),
    latest_activity: principal.latestActivity,
  };
}
