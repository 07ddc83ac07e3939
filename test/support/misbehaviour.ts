/**
 * The shape of one misbehaviour of the hostile provider, and the part of that provider which a forged token needs. All of
 * them are in `misbehaviours.ts`, and those of endpoints in `breaks.ts`.
 */
import type { ServerResponse } from "node:http";
import type { JWK, JWTPayload } from "jose";
import type { FailureCode } from "../../src/errors.ts";
import type { SigningKey } from "./signing-key.ts";

export type Endpoint = "discovery" | "keys" | "authorize" | "token";

export interface Signer {
  /** What the key set endpoint hands out. */
  published: JWK[];
  readonly key: SigningKey;
  sign(claims: JWTPayload, header?: Record<string, unknown>, key?: SigningKey): Promise<string>;
}

export interface Misbehaviour {
  /** What the login fails with; absent where it must not fail. */
  readonly code?: FailureCode;
  /** What the log says of it. */
  readonly log?: RegExp;
  /** Changes the id_token's claims before they are signed. `now`: in seconds. */
  readonly claims?: (claims: JWTPayload, now: number) => void;
  /** Makes the id_token in the provider's place. */
  readonly forge?: (claims: JWTPayload, provider: Signer) => Promise<string>;
  /** Changes the token endpoint's answer. */
  readonly answer?: (answer: Record<string, unknown>) => unknown;
  readonly status?: number;
  /** Changes the query that the browser comes back with. */
  readonly callback?: (query: URLSearchParams) => void;
  /** What endpoints do instead of answering. */
  readonly breaks?: Partial<Record<Endpoint, (response: ServerResponse) => void>>;
}
