/**
 * What the domain asks of a store for logins at an external provider: device logins that wait for a browser, browser
 * logins on their way to the provider and back, and the one-time codes of applications. The rules of `store.ts` hold.
 */

import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalSummary, RequestContext, SessionStatus } from "../model/entities.ts";
import type { AuthenticatedIdentity } from "./authenticator.ts";
import type { OpenOutcome, OpenSession } from "./sessions.ts";

/** What binds the provider's answer to the request that asked for it. */
export interface Binding {
  readonly provider: string;
  readonly redirectUri: string;
  readonly nonce: string;
  /** PKCE (RFC 7636). */
  readonly codeVerifier: string;
}

export const DEVICE_REFUSALS = [
  "cancelled",
  "denied_by_provider",
  "wrong_codes",
  "principal_disabled",
  "session_limit",
  "other_spelling",
] as const;

export type DeviceRefusal = (typeof DEVICE_REFUSALS)[number];

/**
 * `waiting`: no browser has come back from the provider yet. `signed_in`: one has, and is asked for the user code.
 * `confirmed`: the code was right, tokens may be collected, once. `refused`: it is over.
 */
export type DevicePhase =
  | { readonly kind: "waiting" }
  | {
      readonly kind: "signed_in" | "confirmed";
      readonly browser: Digest;
      readonly identity: AuthenticatedIdentity;
    }
  | { readonly kind: "refused"; readonly reason: DeviceRefusal };

export interface DeviceLogin extends Binding {
  readonly deviceCode: Digest;
  readonly userCode: string;
  readonly expirationTime: Date;
  readonly startedAt: Date;
  /** Of the program that started it. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly phase: DevicePhase;
}

/** What a poll needs to know. */
export type PolledLogin = Pick<DeviceLogin, "provider" | "expirationTime" | "phase">;

export interface StartDeviceLogin extends Binding {
  readonly deviceCode: Digest;
  readonly userCode: string;
  readonly state: Digest;
  readonly userAgent: string | null;
  /** The part of an address that one machine has. */
  readonly place: string;
  /** Logins of one place that wait at the same time; beyond it the oldest gives way. */
  readonly limit: number;
  readonly now: Date;
  readonly expirationTime: Date;
  readonly context: RequestContext;
}

/** A change of one device login, by somebody. */
export interface DeviceChange {
  readonly deviceCode: Digest;
  readonly now: Date;
  readonly context: RequestContext;
}

/** Its session is there already. */
export interface HandedOverLogin {
  readonly identity: IdentityRef;
  readonly principal: PrincipalSummary;
  readonly session: SessionStatus;
}

export interface DeviceLoginStore {
  /** `taken`: another login that waits has this user code. Audit: device_login_started. */
  start(request: StartDeviceLogin): Promise<{ readonly kind: "started" | "taken" }>;
  byDeviceCode(deviceCode: Digest): Promise<PolledLogin | undefined>;
  byState(state: Digest): Promise<DeviceLogin | undefined>;
  /** Only where it waits: a state is used once. */
  signIn(
    change: DeviceChange & { readonly browser: Digest; readonly identity: AuthenticatedIdentity },
  ): Promise<{ readonly kind: "signed_in" | "over" }>;
  /**
   * Only where it is signed in, and its identity may log in. Audit: device_login_confirmed, or device_login_refused where
   * the principal is disabled or has `limit` sessions, or the name is another spelling of a known one (`OpenSession`).
   */
  confirm(
    change: DeviceChange & { readonly limit: number; readonly caseSensitive?: boolean },
  ): Promise<
    { readonly kind: "confirmed" | "over" } | { readonly kind: "refused"; readonly reason: DeviceRefusal }
  >;
  /** One wrong code; the last of `tries` ends the login. Audit: login_failed, device_login_refused. */
  countWrong(change: DeviceChange & { readonly tries: number }): Promise<{ readonly left: number }>;
  /** Where it is not over yet. Audit: device_login_refused. */
  refuse(change: DeviceChange & { readonly reason: DeviceRefusal }): Promise<void>;
  /** One that a person confirmed in the real Tiled before its database was handed over; once. Audit: login. */
  collectHandedOver(
    request: DeviceChange & { readonly provider: string },
  ): Promise<HandedOverLogin | undefined>;
  /** Ends the login and opens the session, both or none. `gone`: somebody else was faster. Audit: as `SessionStore.open`. */
  collect(deviceCode: Digest, open: OpenSession): Promise<OpenOutcome | { readonly kind: "gone" }>;
}

/** Where a browser login leads to. */
export type LoginGoal =
  /** An application that sent the browser here; it gets its own `state` back. */
  | { readonly kind: "application"; readonly state: string | null; readonly challenge: string | null }
  /** Our own pages; `next` is for who shows them to check. */
  | { readonly kind: "page"; readonly next: string | null }
  /** The account of whoever is logged in with this session: the identity is added to it. */
  | { readonly kind: "link"; readonly session: Uuid };

export interface BegunLogin extends Binding {
  readonly goal: LoginGoal;
}

/** A browser that comes back from a provider. */
export interface UseState {
  readonly state: Digest;
  /** Until when the state would be good. */
  readonly expirationTime: Date;
  /** The part of an address that one machine has. */
  readonly place: string;
  /** Returns of one place that are remembered; the oldest gives way. */
  readonly limit: number;
}

export interface IssuedCode {
  readonly provider: string;
  readonly browser: Digest;
  /** PKCE of the application: S256, base64url. */
  readonly challenge: string | null;
  readonly identity: AuthenticatedIdentity;
  readonly expirationTime: Date;
}

export interface BrowserLoginStore {
  /** `used`: it has come back before. */
  use(request: UseState): Promise<{ readonly kind: "fresh" | "used" }>;
  issueCode(code: Digest, issued: IssuedCode): Promise<void>;
  findCode(code: Digest): Promise<IssuedCode | undefined>;
  /** Ends the code and opens the session, both or none. `gone`: it was used already. Audit: as `SessionStore.open`. */
  redeemCode(code: Digest, open: OpenSession): Promise<OpenOutcome | { readonly kind: "gone" }>;
}
