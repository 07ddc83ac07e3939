/**
 * CAVE's words on our model: the rules that the configuration gives (groups, datasets, terms of service), and the people,
 * tokens and logins they apply to. CAVE identifies people by `principals.id`, an integer.
 */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalType } from "./entities.ts";

/** Terms of service. */
export interface CaveTerms {
  /** Positive; unique among terms. */
  readonly id: number;
  readonly name: string;
  readonly text: string;
}

export interface CaveDataset {
  /** Positive; unique among datasets. */
  readonly id: number;
  readonly name: string;
  /** To be accepted before any permission counts; null: none. */
  readonly tos: CaveTerms | null;
  readonly admins: readonly IdentityRef[];
  /** Names of tables, by their service's namespace, e.g. `pychunkedgraph`. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
}

/** A person, or a service principal. */
export type CaveMember = IdentityRef | { readonly service: Uuid };

export interface CaveGroup {
  /** Positive; unique among groups. */
  readonly id: number;
  readonly name: string;
  /** Every person is a member; services only if they are named. */
  readonly everyone: boolean;
  readonly members: readonly CaveMember[];
  /** Members, too. */
  readonly admins: readonly IdentityRef[];
  /** By the dataset's name. */
  readonly permissions: ReadonlyMap<string, readonly string[]>;
}

/** The rules of the section `cave`. A reload replaces them as a whole. */
export interface CaveSettings {
  /** Superadmins. */
  readonly admins: readonly IdentityRef[];
  /** Origins that may be handed a token, beside the server's own. */
  readonly origins: readonly string[];
  /** Lifetime in seconds. */
  readonly loginTokenMaxAge: number;
  readonly tos: readonly CaveTerms[];
  readonly datasets: readonly CaveDataset[];
  readonly groups: readonly CaveGroup[];
}

/** A principal as CAVE knows it. */
export interface CavePerson {
  readonly id: number;
  readonly uuid: Uuid;
  readonly type: PrincipalType;
  readonly created: Date;
  /** The newest known `name` of an identity, else an identity's id; for a service its note, or its UUID. */
  readonly name: string;
  /** An address that a provider has verified; "" without one. */
  readonly email: string;
  readonly identities: readonly IdentityRef[];
  /** Ids of the terms of service that were accepted, sorted. */
  readonly acceptedTos: readonly number[];
}

/** A login token: handed to a service or viewer by a browser, which ends with its session. */
export interface CaveLogin {
  readonly digest: Digest;
  readonly principal: Uuid;
  readonly session: Uuid;
  /** The origin it was handed to. */
  readonly origin: string;
  readonly expirationTime: Date;
}

/** An API token as its owner sees it. */
export interface CaveToken {
  /** Eight lower-case hex digits. */
  readonly firstEight: string;
  readonly description: string | null;
  readonly created: Date;
  readonly updated: Date | null;
  readonly lastUsed: Date | null;
  /** Null: never, as for all that are made here. */
  readonly expirationTime: Date | null;
}
