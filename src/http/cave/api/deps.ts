/** What CAVE's API routes work with; `app/cave.ts` puts it together. */
import type { FastifySchema } from "fastify";
import type { CaveLogins } from "../../../domain/cave/logins.ts";
import type { CavePeople } from "../../../domain/cave/people.ts";
import type { CaveRulesInForce } from "../../../domain/cave/rules.ts";
import type { CaveTokens } from "../../../domain/cave/tokens.ts";
import type { Gate } from "../../access/kinds.ts";
import type { Proxies } from "../../proxies.ts";
import type { TokenGates } from "../guard.ts";
import { PREFIXES } from "../paths.ts";

export interface CaveApiDeps {
  readonly gates: TokenGates;
  readonly rules: CaveRulesInForce;
  readonly people: CavePeople;
  readonly tokens: CaveTokens;
  readonly logins: CaveLogins;
  readonly proxies: Proxies;
}

/** `/openapi.json` shows each route once. */
export function described(
  prefix: string,
  schema: FastifySchema & { readonly operationId: string; readonly summary: string },
) {
  return { tags: ["cave"], ...schema, hide: prefix !== PREFIXES[0] };
}

/** No cookie counts on these routes, so none is set, and no token against forgery is asked for. */
export function forTokens(gate: Gate) {
  return { access: { gate }, shared: true, formToken: true } as const;
}
