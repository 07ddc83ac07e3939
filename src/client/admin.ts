/**
 * Requests that need an administrator's scopes: `read:principals`, `write:principals`, `admin:apikeys`.
 */
import { segmentOf } from "./address.ts";
import type { Authorized } from "./authorized.ts";
import { isPrincipal, isPrincipals } from "./documents.ts";
import { createKey, type NewKeyOptions, revokeKey, type SignalOption } from "./keys.ts";
import type { NewApiKey, Principal } from "./wire.ts";

export interface PageOptions extends SignalOption {
  /** Principals to skip. Default: 0. */
  readonly offset?: number | undefined;
  /** Default: 100; at most 300. */
  readonly limit?: number | undefined;
}

/**
 * `context.admin`. Each call fails with RequestRefused if the caller lacks the scope.
 *
 * @example
 * ```ts
 * import { fromUri } from "tiled-auth/client";
 *
 * const { admin } = await fromUri("https://tiled.example.org");
 * const robot = await admin.createServicePrincipal({ role: "user" });
 * const { secret } = await admin.createApiKey(robot.uuid, { scopes: ["read:metadata"], expiresIn: "30d" });
 * ```
 */
export class Admin {
  readonly #authorized: Authorized;

  constructor(authorized: Authorized) {
    this.#authorized = authorized;
  }

  /** People and services, in the order of their creation. */
  async listPrincipals({ offset = 0, limit = 100, signal }: PageOptions = {}): Promise<Principal[]> {
    const query = { "page[offset]": `${offset}`, "page[limit]": `${limit}` };
    return await this.#authorized.document("auth/principal", { query, signal, fits: isPrincipals });
  }

  async showPrincipal(uuid: string, { signal }: SignalOption = {}): Promise<Principal> {
    return await this.#authorized.document(pathOf(uuid), { signal, fits: isPrincipal });
  }

  /** A principal for a program; it gets its keys from `createApiKey`. */
  async createServicePrincipal({
    role,
    signal,
  }: SignalOption & { readonly role: string }): Promise<Principal> {
    const request = { method: "POST", query: { role }, signal, fits: isPrincipal };
    return await this.#authorized.document("auth/principal", request);
  }

  /** A key for another principal. Only this answer contains its `secret`. */
  async createApiKey(uuid: string, options: NewKeyOptions = {}): Promise<NewApiKey> {
    return await createKey(this.#authorized, `${pathOf(uuid)}/apikey`, options);
  }

  /** `key`: the key or its first eight characters. Only those are sent. */
  async revokeApiKey(uuid: string, key: string, options: SignalOption = {}): Promise<void> {
    await revokeKey(this.#authorized, `${pathOf(uuid)}/apikey`, key, options);
  }
}

function pathOf(uuid: string): string {
  return `auth/principal/${segmentOf(uuid)}`;
}
