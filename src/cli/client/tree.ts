/**
 * `tiled tree`: walks a server's entries depth first, and asks for no more of them than it prints.
 */
import type { Context } from "../../client/context.ts";
import { answered } from "../../client/parts.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { connection } from "./connection.ts";
import { interruptSignal } from "./interrupts.ts";
import type { ServerOptions } from "./options.ts";

interface Entry {
  readonly name: string;
  readonly container: boolean;
}

interface Page {
  readonly entries: readonly Entry[];
  readonly more: boolean;
}

/** A container whose entries are being printed. */
interface Level {
  readonly path: string;
  readonly indent: string;
  /** Those that wait. */
  entries: readonly Entry[];
  /** How many were received. */
  received: number;
  more: boolean;
}

/** Most that a server answers at once. */
const PAGE = 300;
/** Milliseconds for the body of an answer. */
const TIMEOUT = 30_000;

export async function tree(lines: number, options: ServerOptions, terminal: Terminal): Promise<void> {
  const context = await connection(options, terminal, "login if required");
  const signal = interruptSignal(terminal);
  const levels: Level[] = [levelAt("search/", "")];
  for (let printed = 0; ; ) {
    const level = levels.at(-1);
    if (level === undefined) return;
    const [entry, ...rest] = level.entries;
    if (entry === undefined) {
      if (!level.more) levels.pop();
      // One more than can be printed shows whether there is more.
      else await extend(level, Math.min(PAGE, lines - printed + 1), context, signal);
      continue;
    }
    if (printed === lines) {
      terminal.out(`Output truncated at ${lines} lines. Use \`tiled tree <N>\` to see <N> lines.`);
      return;
    }
    level.entries = rest;
    const last = rest.length === 0 && !level.more;
    terminal.out(`${level.indent}${last ? "└" : "├"}── ${printable(entry.name)}`);
    printed += 1;
    if (entry.container && isSegment(entry.name))
      levels.push(
        levelAt(`${level.path}${encodeURIComponent(entry.name)}/`, level.indent + (last ? "    " : "│   ")),
      );
  }
}

function levelAt(path: string, indent: string): Level {
  return { path, indent, entries: [], received: 0, more: true };
}

async function extend(level: Level, limit: number, context: Context, signal: AbortSignal): Promise<void> {
  const query = new URLSearchParams({
    "page[offset]": `${level.received}`,
    "page[limit]": `${limit}`,
    fields: "structure_family",
  });
  const path = level.path === "search/" ? level.path : level.path.slice(0, -1);
  const { entries, more } = await pageAt(`${path}?${query}`, context, signal);
  level.entries = entries;
  level.received += entries.length;
  level.more = more && entries.length > 0;
}

async function pageAt(path: string, context: Context, signal: AbortSignal): Promise<Page> {
  const url = new URL(path, context.apiUri).href;
  const response = await context.fetch(url, { headers: { accept: "application/json" }, signal });
  const answer = answered({ response, attempts: 1 }, url, { timeout: TIMEOUT, signal });
  const page = pageOf(await answer.document());
  if (page === null) throw answer.notOurs();
  return page;
}

function pageOf(document: unknown): Page | null {
  const { data, links } = (document ?? {}) as { readonly data?: unknown; readonly links?: unknown };
  if (!Array.isArray(data)) return null;
  const { next } = (links ?? {}) as { readonly next?: unknown };
  const entries: Entry[] = [];
  for (const item of data as readonly unknown[]) {
    const { id, attributes } = (item ?? {}) as { readonly id?: unknown; readonly attributes?: unknown };
    if (typeof id !== "string") return null;
    const { structure_family: family } = (attributes ?? {}) as { readonly structure_family?: unknown };
    entries.push({ name: id, container: family === "container" });
  }
  return { entries, more: typeof next === "string" };
}

/** Others would lead to another path. */
function isSegment(name: string): boolean {
  return !/^\.{0,2}$/.test(name);
}
