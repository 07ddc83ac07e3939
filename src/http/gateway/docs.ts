/**
 * Lists the routes in the OpenAPI document of a server behind this one for our API page: paths and summaries only. The
 * details are in the upstream's own documentation.
 */

import type { Clock } from "../../lib/clock.ts";
import type { ApiDocument, Operation } from "../../pages/docs.ts";
import type { Forwarder } from "./forward.ts";

export type Paths = NonNullable<ApiDocument["paths"]>;

const TAG = "Passed on to the server behind";

const FRESH_MS = 60_000;
const LIMITS = { timeoutMs: 5_000, bytes: 4_194_304 };

export class UpstreamDocs {
  readonly #forwarder: Pick<Forwarder, "read">;
  readonly #clock: Clock;
  readonly #isOurs: (path: string) => boolean;
  #known: Paths | null = null;
  #until = 0;
  #asking: Promise<void> | undefined;

  constructor(forwarder: Pick<Forwarder, "read">, clock: Clock, isOurs: (path: string) => boolean) {
    this.#forwarder = forwarder;
    this.#clock = clock;
    this.#isOurs = isOurs;
  }

  /** The same object for a minute; null if the upstream has no document or is unavailable. */
  async get(): Promise<Paths | null> {
    if (this.#clock.now() >= this.#until) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    return this.#known;
  }

  async #ask(): Promise<void> {
    try {
      const { status, text } = await this.#forwarder.read("/openapi.json", LIMITS);
      this.#known = status === 200 ? (routesBehind(text, this.#isOurs) ?? null) : null;
    } catch {
      this.#known = null;
    }
    this.#until = this.#clock.now() + FRESH_MS;
  }
}

/** Undefined if the text is no OpenAPI document. */
export function routesBehind(text: string, isOurs: (path: string) => boolean): Paths | undefined {
  const { paths } = Object(parse(text)) as { readonly paths?: unknown };
  if (typeof paths !== "object" || paths === null) return undefined;
  const found: Record<string, Record<string, Operation>> = {};
  for (const [path, operations] of Object.entries(paths)) {
    if (isOurs(path)) continue;
    const named = Object.entries(Object(operations) as object).map(([method, operation]) => [
      method,
      operationOf(operation),
    ]);
    found[path] = Object.fromEntries(named);
  }
  return found;
}

function operationOf(operation: unknown): Operation {
  const { summary, security } = Object(operation) as {
    readonly summary?: unknown;
    readonly security?: unknown;
  };
  const requirements = Array.isArray(security) ? security : [];
  const scopes = requirements.flatMap((requirement) => Object.values(Object(requirement) as object).flat());
  const names = [...new Set(scopes.filter((scope) => typeof scope === "string"))];
  return {
    tags: [TAG],
    ...(typeof summary === "string" && { summary }),
    ...(requirements.length > 0 && { "x-access": names }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
