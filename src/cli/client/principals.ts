/**
 * What the verbs of `tiled admin` about principals do that ask a server over HTTP.
 */
import type { Principal } from "../../client/wire.ts";
import { printableJson } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { connection } from "./connection.ts";
import { interruptSignal } from "./interrupts.ts";
import type { ServerOptions } from "./options.ts";

/** Most that a server answers at once. */
const PAGE = 300;

export async function list(
  { offset, limit }: { readonly offset: number; readonly limit: number },
  options: ServerOptions,
  terminal: Terminal,
): Promise<void> {
  const { admin } = await connection(options, terminal, "login");
  const signal = interruptSignal(terminal);
  const principals: Principal[] = [];
  while (principals.length < limit) {
    const wanted = Math.min(PAGE, limit - principals.length);
    const page = await admin.listPrincipals({ offset: offset + principals.length, limit: wanted, signal });
    principals.push(...page.slice(0, wanted));
    if (page.length < wanted) break;
  }
  print(principals, terminal);
}

export async function show(uuid: string, options: ServerOptions, terminal: Terminal): Promise<void> {
  const { admin } = await connection(options, terminal, "login");
  print(await admin.showPrincipal(uuid, { signal: interruptSignal(terminal) }), terminal);
}

export async function createService(
  options: ServerOptions & { readonly role: string },
  terminal: Terminal,
): Promise<void> {
  const { admin } = await connection(options, terminal, "login");
  const signal = interruptSignal(terminal);
  print(await admin.createServicePrincipal({ role: options.role, signal }), terminal);
}

function print(document: unknown, terminal: Terminal): void {
  terminal.out(printableJson(JSON.stringify(document, null, 2)));
}
