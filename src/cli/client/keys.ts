/**
 * What the verbs of `tiled api_key` and `tiled admin api-key` do. `principal`: a UUID, or null for one's own keys.
 */
import type { Context } from "../../client/context.ts";
import type { ApiKey } from "../../client/wire.ts";
import { OperatorError } from "../../errors.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import { displayWidth } from "../console/table.ts";
import type { Terminal } from "../console/terminal.ts";
import { connection } from "./connection.ts";
import { interruptSignal } from "./interrupts.ts";
import type { JsonOption, ServerOptions } from "./options.ts";

export interface CreateKeyOptions extends ServerOptions, JsonOption {
  readonly expiresIn?: string;
  readonly scopes?: readonly string[];
  readonly accessTags?: readonly string[];
  readonly note?: string;
}

export async function create(
  principal: string | null,
  options: CreateKeyOptions,
  terminal: Terminal,
): Promise<void> {
  const context = await connection(options, terminal, "login");
  const { expiresIn, scopes, accessTags, note } = options;
  const wanted = { expiresIn, scopes, accessTags, note, signal: interruptSignal(terminal) };
  const key = await (principal === null
    ? context.createApiKey(wanted)
    : context.admin.createApiKey(principal, wanted));
  terminal.out(options.json ? printableJson(JSON.stringify(key, null, 2)) : printable(key.secret));
}

export async function list(
  principal: string | null,
  options: ServerOptions & JsonOption,
  terminal: Terminal,
): Promise<void> {
  const context = await connection(options, terminal, "login");
  const keys = await keysOf(principal, context, interruptSignal(terminal));
  if (options.json) terminal.out(printableJson(JSON.stringify(keys, null, 2)));
  else if (keys.length === 0) terminal.err("No API keys found");
  else terminal.out(tableOf(keys));
}

export async function revoke(
  principal: string | null,
  key: string,
  options: ServerOptions,
  terminal: Terminal,
): Promise<void> {
  if (key.length < 8) throw new OperatorError("Use the key's first eight characters, or the whole key.", 2);
  const context = await connection(options, terminal, "login");
  const signal = interruptSignal(terminal);
  if (principal === null) await context.revokeApiKey(key, { signal });
  else await context.admin.revokeApiKey(principal, key, { signal });
}

async function keysOf(
  principal: string | null,
  context: Context,
  signal: AbortSignal,
): Promise<readonly ApiKey[]> {
  if (principal !== null) return (await context.admin.showPrincipal(principal, { signal })).api_keys ?? [];
  return (await context.whoami({ signal }))?.api_keys ?? [];
}

/** With the columns of Python's command. */
function tableOf(keys: readonly ApiKey[]): string {
  const rows = keys.map(({ first_eight, expiration_time, latest_activity, note, scopes, access_tags }) => [
    first_eight,
    timeOf(expiration_time),
    timeOf(latest_activity),
    note ?? "",
    scopes.join(" ") || "-",
    access_tags?.map((tag) => tag.replaceAll(" ", "\\ ")).join(" ") ?? "-",
  ]);
  const heads = ["First 8", "Expires at (UTC)", "Latest activity", "Note", "Scopes", "Access tags"];
  const lines = [heads, ...rows].map((line) => line.map(printable));
  const widest = (column: number) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ""))) + 4;
  const widths = [10, 21, 21, widest(3), widest(4), 0];
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell))))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}

function timeOf(text: string | null): string {
  if (text === null) return "-";
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toISOString().slice(0, 19);
}
