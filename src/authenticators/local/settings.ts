/** The arguments of `tiled_auth:LocalAuthenticator`, with their defaults. */
import { type Static, Type } from "typebox";
import { OperatorError } from "../../errors.ts";
import { readArgs } from "../../plugins/args.ts";
import { checkArgs } from "../../plugins/class-args.ts";
import type { ProviderEntry } from "../../plugins/entries.ts";
import { ARGON2_COST } from "../passwords/hasher.ts";
import type { PolicyRules } from "../passwords/policy.ts";
import type { Argon2Cost } from "../passwords/stored.ts";

export const LOCAL = "tiled_auth:LocalAuthenticator";

/** Seconds of each unit. */
const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };
const LONGEST_LINK = 365 * 86_400;

function lifetime(byDefault: string, description: string) {
  return Type.Union(
    [
      Type.Integer({ minimum: 1, maximum: LONGEST_LINK }),
      Type.String({ pattern: "^[1-9][0-9]{0,8}[smhd]?$" }),
    ],
    { default: byDefault, description },
  );
}

/** In seconds. @throws OperatorError */
export function linkLifetime(value: string | number, name: string): number {
  const [, number, unit = ""] = /^([1-9]\d{0,8})([smhd]?)$/.exec(String(value)) ?? [];
  const seconds = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (seconds > 0 && seconds <= LONGEST_LINK) return seconds;
  throw new OperatorError(`${name} must be seconds, or a number and a unit (30m, 1h, 7d), at most 365 days.`);
}

export const ARGS = Type.Object(
  {
    password: Type.Optional(
      Type.Object(
        {
          min_length: Type.Optional(
            Type.Integer({
              minimum: 8,
              maximum: 256,
              default: 15,
              description: "Characters of a new password",
            }),
          ),
          blocklist: Type.Optional(
            Type.String({
              minLength: 1,
              description: "A file of passwords that are refused besides the common ones, one a line",
            }),
          ),
        },
        { additionalProperties: false, description: "Rules for new passwords" },
      ),
    ),
    hash: Type.Optional(
      Type.Object(
        {
          memory: Type.Optional(
            Type.Integer({ minimum: 7168, maximum: 262_144, default: 19_456, description: "KiB of memory" }),
          ),
          passes: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 20, default: 2, description: "Passes over the memory" }),
          ),
          parallelism: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 16, default: 1, description: "Lanes" }),
          ),
        },
        {
          additionalProperties: false,
          description: "Cost of argon2id. A hash of another cost is renewed at a login",
        },
      ),
    ),
    invitation_max_age: Type.Optional(
      lifetime("7d", "How long an invitation can be used: seconds, or a number and a unit (s, m, h, d)"),
    ),
    reset_max_age: Type.Optional(
      lifetime(
        "1h",
        "How long a link for a new password can be used: seconds, or a number and a unit (s, m, h, d)",
      ),
    ),
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the user name" }),
    ),
  },
  { additionalProperties: false },
);

export interface LocalSettings {
  readonly rules: PolicyRules;
  readonly cost: Argon2Cost;
  /** Seconds. */
  readonly invitationMaxAge: number;
  readonly resetMaxAge: number;
  readonly confirmationMessage: string;
}

export function settingsOf(args: Static<typeof ARGS>): LocalSettings {
  return {
    rules: { minLength: args.password?.min_length ?? 15, blocklist: args.password?.blocklist ?? null },
    cost: { ...ARGON2_COST, ...args.hash },
    invitationMaxAge: linkLifetime(args.invitation_max_age ?? "7d", "args.invitation_max_age"),
    resetMaxAge: linkLifetime(args.reset_max_age ?? "1h", "args.reset_max_age"),
    confirmationMessage: args.confirmation_message ?? "",
  };
}

/** The settings of a provider of the configuration, for the command line. */
export function settingsOfEntry(entry: ProviderEntry): LocalSettings {
  const checked = checkArgs(ARGS, readArgs(entry, ARGS));
  if (checked.kind === "valid") return settingsOf(checked.args as Static<typeof ARGS>);
  const [first] = checked.problems;
  throw new OperatorError(
    `The arguments of the provider '${entry.provider}' have errors: ${first?.message ?? ""}`,
  );
}
