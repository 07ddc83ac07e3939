/**
 * Why a directory refuses a person: result codes (RFC 4511, appendix A), the password policy's control
 * (draft-behera-ldap-password-policy), and Active Directory's `data` codes beside result 49. For the log and the audit log;
 * the answer to the person is always the same.
 */
import { PasswordPolicyError } from "ldapts";

export interface Refusal {
  /** In the audit log. */
  readonly code: string;
  /** In the log, and in `tiled config try`. */
  readonly text: string;
}

export const WRONG_PASSWORD: Refusal = { code: "wrong_password", text: "the password is wrong" };
const EXPIRED: Refusal = { code: "password_expired", text: "the password has expired" };
const MUST_CHANGE: Refusal = { code: "password_must_change", text: "the password must be changed first" };
const LOCKED: Refusal = { code: "account_locked", text: "the account is locked" };
const DISABLED: Refusal = { code: "account_disabled", text: "the account is disabled" };
const ACCOUNT_EXPIRED: Refusal = { code: "account_expired", text: "the account has expired" };

/** [MS-ADTS] and the Windows error codes that it sends, in hexadecimal digits. */
const ACTIVE_DIRECTORY: Readonly<Record<string, Refusal>> = {
  "525": { code: "unknown_user", text: "the directory does not know the name" },
  "530": { code: "outside_hours", text: "the account may not log in at this hour" },
  "531": { code: "other_workstation", text: "the account may not log in from this machine" },
  "532": EXPIRED,
  "533": DISABLED,
  "701": ACCOUNT_EXPIRED,
  "773": MUST_CHANGE,
  "775": LOCKED,
};

const POLICY: Readonly<Record<number, Refusal>> = {
  [PasswordPolicyError.PasswordExpired]: EXPIRED,
  [PasswordPolicyError.AccountLocked]: LOCKED,
  [PasswordPolicyError.ChangeAfterReset]: MUST_CHANGE,
};

export function policyRefusal(error: number | undefined): Refusal | undefined {
  return error === undefined ? undefined : POLICY[error];
}

/** Undefined for a code that says nothing about the person, so that the directory or its configuration is broken. */
export function bindRefusal(code: number, message: string): Refusal | undefined {
  switch (code) {
    case 10:
      return { code: "referral", text: "the directory refers to another server, which is not asked" };
    case 19:
      return LOCKED;
    case 32:
    case 48:
      return WRONG_PASSWORD;
    case 49: {
      const [, data] = /\bdata ([0-9a-f]{3,8})\b/i.exec(message) ?? [];
      return ACTIVE_DIRECTORY[data?.toLowerCase() ?? ""] ?? WRONG_PASSWORD;
    }
    case 53:
      return DISABLED;
    default:
      return undefined;
  }
}
