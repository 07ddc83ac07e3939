/**
 * The store's part for logins at an identity provider: device logins that wait for a browser, used states of browser logins,
 * and one-time codes of applications. The rules of `store.ts` hold.
 */

import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalSummary, RequestContext, SessionStatus } from "../model/entities.ts";
import type { AuthenticatedIdentity } from "./authenticator.ts";
import type { OpenOutcome, OpenSession } from "./sessions.ts";

/** Binds the provider's answer to the request that asked for it. */
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
 * `waiting`: no browser has returned from the provider yet. `signed_in`: one has, and is asked for the user code.
 * `confirmed`: the code was right; tokens may be collected once. `refused`: the login has ended.
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
  /** Address of the program that started it. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly phase: DevicePhase;
}

/** The part of a login that polls need. */
export type PolledLogin = Pick<DeviceLogin, "provider" | "expirationTime" | "phase">;

export interface StartDeviceLogin extends Binding {
  readonly deviceCode: Digest;
  readonly userCode: string;
  readonly state: Digest;
  readonly userAgent: string | null;
  /** The address block of one machine. */
  readonly place: string;
  /** Waiting logins of one place; beyond it the oldest is dropped. */
  readonly limit: number;
  readonly now: Date;
  readonly expirationTime: Date;
  readonly context: RequestContext;
}

/** A change of one device login. */
export interface DeviceChange {
  readonly deviceCode: Digest;
  readonly now: Date;
  readonly context: RequestContext;
}

/** A login of Tiled, whose session exists already. */
export interface HandedOverLogin {
  readonly identity: IdentityRef;
  readonly principal: PrincipalSummary;
  readonly session: SessionStatus;
}

export interface DeviceLoginStore {
  /** `taken`: another waiting login has this user code. Audit: device_login_started. */
  start(request: StartDeviceLogin): Promise<{ readonly kind: "started" | "taken" }>;
  byDeviceCode(deviceCode: Digest): Promise<PolledLogin | undefined>;
  byState(state: Digest): Promise<DeviceLogin | undefined>;
  /** Only while it waits: a state is used once. */
  signIn(
    change: DeviceChange & { readonly browser: Digest; readonly identity: AuthenticatedIdentity },
  ): Promise<{ readonly kind: "signed_in" | "over" }>;
  /**
   * Only if it is signed in and its identity may log in. Audit: device_login_confirmed, or device_login_refused if the
   * principal is disabled or has `limit` sessions, or the name is another spelling of a known one (`OpenSession`).
   */
  confirm(
    change: DeviceChange & { readonly limit: number; readonly caseSensitive?: boolean },
  ): Promise<
    { readonly kind: "confirmed" | "over" } | { readonly kind: "refused"; readonly reason: DeviceRefusal }
  >;
  /** Counts a wrong code; the last of `tries` ends the login. Audit: login_failed, device_login_refused. */
  countWrong(change: DeviceChange & { readonly tries: number }): Promise<{ readonly left: number }>;
  /** Ends the login unless it has ended. Audit: device_login_refused. */
  refuse(change: DeviceChange & { readonly reason: DeviceRefusal }): Promise<void>;
  /** Collects, once, a login that a person confirmed in Tiled before its database was handed over. Audit: login. */
  collectHandedOver(
    request: DeviceChange & { readonly provider: string },
  ): Promise<HandedOverLogin | undefined>;
  /** Ends the login and opens the session, both or none. `gone`: another request collected it. Audit: as `SessionStore.open`. */
  collect(deviceCode: Digest, open: OpenSession): Promise<OpenOutcome | { readonly kind: "gone" }>;
}

/** The goal of a browser login. */
export type LoginGoal =
  /** An application that sent the browser; it gets its own `state` back. */
  | { readonly kind: "application"; readonly state: string | null; readonly challenge: string | null }
  /** Our own pages. `next` is unchecked. */
  | { readonly kind: "page"; readonly next: string | null }
  /** Adds the identity to the account of this session. */
  | { readonly kind: "link"; readonly session: Uuid };

export interface BegunLogin extends Binding {
  readonly goal: LoginGoal;
}

/** The return of a browser from a provider. */
export interface UseState {
  readonly state: Digest;
  /** End of the state's lifetime. */
  readonly expirationTime: Date;
  /** The address block of one machine. */
  readonly place: string;
  /** How many used states of one place are remembered; beyond it the oldest is dropped. */
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
  /** Uses a state up. `used`: it was used before. */
  use(request: UseState): Promise<{ readonly kind: "fresh" | "used" }>;
  issueCode(code: Digest, issued: IssuedCode): Promise<void>;
  findCode(code: Digest): Promise<IssuedCode | undefined>;
  /** Ends a code; false if it was ended before or has expired. */
  takeCode(code: Digest, now: Date): Promise<boolean>;
  /** Ends the code and opens the session, both or none. `gone`: it was used before. Audit: as `SessionStore.open`. */
  redeemCode(code: Digest, open: OpenSession): Promise<OpenOutcome | { readonly kind: "gone" }>;
}
