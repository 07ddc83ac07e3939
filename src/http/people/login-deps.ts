/** What the pages of logins work with. */
import type { FastifyRequest } from "fastify";
import type { HandOvers } from "../../domain/login/hand-over.ts";
import type { Site } from "../../pages/layout.ts";
import { readNext } from "../access/next.ts";
import type { PasswordProvider } from "../auth/providers.ts";
import type { AuthServices } from "../auth/services.ts";
import type { Links } from "../links.ts";

export interface LoginDeps {
  readonly site: Site;
  readonly links: Links;
  readonly services: AuthServices;
  /** All, in the order of the configuration. */
  readonly providers: readonly string[];
  readonly passwords: readonly PasswordProvider[];
  /** Other hosts that a login may lead to. */
  readonly nextHosts: readonly string[];
  /** Null if people log in at the host of the data. */
  readonly handOvers: HandOvers | null;
}

/** Where a login may lead; null for an address that is neither ours nor the operator's. */
export function nextOf(
  { links, nextHosts }: Pick<LoginDeps, "links" | "nextHosts">,
  request: FastifyRequest,
  text: string | null | undefined,
): URL | null {
  return readNext(text, { base: links.base(request), hosts: nextHosts });
}
