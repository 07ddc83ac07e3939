/** Taking over the people, tokens and accepted terms of a middle_auth server. The rules of `store.ts` hold. */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { PrincipalType, RequestContext } from "../model/entities.ts";

export interface ImportedToken {
  readonly firstEight: string;
  readonly digest: Digest;
  readonly description: string | null;
  readonly created: Date | null;
  readonly lastUsed: Date | null;
}

/** A person or a service, who keeps the number. */
export interface ImportedPerson {
  readonly id: number;
  readonly type: PrincipalType;
  /** A service's note. */
  readonly name: string;
  /** A person's identity at the provider; null for a service. */
  readonly email: string | null;
  readonly created: Date | null;
  readonly tokens: readonly ImportedToken[];
  readonly accepted: readonly { readonly tos: number; readonly time: Date | null }[];
}

export interface ImportCave {
  readonly provider: string;
  /** Whether the provider distinguishes names that differ only in case. */
  readonly caseSensitive: boolean;
  /** In the order of their numbers. */
  readonly people: readonly ImportedPerson[];
  /** Reports without writing. */
  readonly dryRun: boolean;
  readonly now: Date;
  readonly context: RequestContext;
}

/**
 * The reason why nothing was written: another principal has the person's number, identity or token, or another spelling of the
 * identity.
 */
export interface ImportConflict {
  readonly person: number;
  readonly kind: "number" | "identity" | "spelling" | "token";
  /** The database's side, for the operator. */
  readonly here: string;
}

/** A difference between the file and the database about a person of an earlier import. Null: absent. */
export interface ImportDifference {
  readonly person: number;
  readonly field: "name" | "identity" | "token" | "description" | "terms";
  readonly here: string | null;
  readonly file: string | null;
}

export type ImportOutcome =
  | { readonly kind: "conflicts"; readonly conflicts: readonly ImportConflict[] }
  | {
      readonly kind: "done";
      readonly created: {
        readonly people: number;
        readonly services: number;
        readonly tokens: number;
        readonly terms: number;
      };
      /** Number of people and services of an earlier import. They are left as they are. */
      readonly known: number;
      readonly differences: readonly ImportDifference[];
      /** UUIDs of the services by number; without the new ones in a dry run. */
      readonly services: ReadonlyMap<number, Uuid>;
    };

export interface CaveImporter {
  /**
   * Creates the people who are not known yet, all or none of them. Tokens are keys with the scope `cave`.
   * Audit: principal_created, api_key_created, cave_terms_accepted.
   */
  import(request: ImportCave): Promise<ImportOutcome>;
}
