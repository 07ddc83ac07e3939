/**
 * The closed list of scopes, the default roles, and the scopes of anonymous and single-user callers.
 */
export const SCOPES = [
  "read:metadata",
  "read:data",
  "write:metadata",
  "write:data",
  "delete:revision",
  "delete:node",
  "create:node",
  "register",
  "metrics",
  "create:apikeys",
  "revoke:apikeys",
  "admin:apikeys",
  "read:principals",
  "write:principals",
  "read:webhooks",
  "write:webhooks",
] as const;

export type Scope = (typeof SCOPES)[number];

/** For API keys only: all scopes that the principal has at the time of use. */
export const INHERIT = "inherit";

/**
 * For API keys only: opens CAVE's routes, where they are configured, and grants nothing of Tiled's. No role has it, and
 * `inherit` does not contain it.
 */
export const CAVE_SCOPE = "cave";

export const USER_ROLE = {
  name: "user",
  description: "Default Role for users.",
  scopes: [
    "read:metadata",
    "read:data",
    "create:node",
    "write:metadata",
    "write:data",
    "delete:revision",
    "delete:node",
    "create:apikeys",
    "revoke:apikeys",
  ],
} as const satisfies DefaultRole;

export const ADMIN_ROLE = {
  name: "admin",
  description: "Role with elevated privileges.",
  scopes: [
    "read:metadata",
    "read:data",
    "create:node",
    "register",
    "write:metadata",
    "write:data",
    "delete:revision",
    "delete:node",
    "admin:apikeys",
    "read:principals",
    "write:principals",
    "metrics",
    "read:webhooks",
    "write:webhooks",
  ],
} as const satisfies DefaultRole;

/** For monitoring services. Not one of Tiled's roles; created with the first service that gets it. */
export const METRICS_ROLE = {
  name: "metrics",
  description: "Role for services that read the metrics.",
  scopes: ["metrics"],
} as const satisfies DefaultRole;

export interface DefaultRole {
  readonly name: string;
  readonly description: string;
  readonly scopes: readonly Scope[];
}

export const DEFAULT_ROLES: readonly DefaultRole[] = [USER_ROLE, ADMIN_ROLE];

export const ANONYMOUS_SCOPES: ReadonlySet<string> = new Set<Scope>(["read:metadata", "read:data"]);

export const SINGLE_USER_SCOPES: ReadonlySet<string> = new Set<Scope>([
  "read:metadata",
  "read:data",
  "write:metadata",
  "write:data",
  "delete:revision",
  "delete:node",
  "create:node",
  "register",
  "metrics",
  "read:webhooks",
  "write:webhooks",
]);

const KNOWN: ReadonlySet<string> = new Set(SCOPES);

export function isScope(text: string): text is Scope {
  return KNOWN.has(text);
}
