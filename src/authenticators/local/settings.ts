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
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the user name" }),
    ),
  },
  { additionalProperties: false },
);

export interface LocalSettings {
  readonly rules: PolicyRules;
  readonly cost: Argon2Cost;
  readonly confirmationMessage: string;
}

export function settingsOf(args: Static<typeof ARGS>): LocalSettings {
  return {
    rules: { minLength: args.password?.min_length ?? 15, blocklist: args.password?.blocklist ?? null },
    cost: { ...ARGON2_COST, ...args.hash },
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
