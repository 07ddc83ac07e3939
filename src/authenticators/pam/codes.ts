/**
 * The return codes of Linux-PAM (`security/_pam_types.h`) that refuse a user. Any other code but success means that PAM is
 * broken, which the operator must fix.
 */
export const PAM_SUCCESS = 0;
export const PAM_CONV_ERR = 19;

const REFUSALS = {
  PAM_PERM_DENIED: 6,
  PAM_AUTH_ERR: 7,
  PAM_USER_UNKNOWN: 10,
  PAM_MAXTRIES: 11,
  PAM_NEW_AUTHTOK_REQD: 12,
  PAM_ACCT_EXPIRED: 13,
  PAM_CRED_UNAVAIL: 15,
  PAM_CRED_EXPIRED: 16,
  PAM_CRED_ERR: 17,
  PAM_AUTHTOK_EXPIRED: 27,
};

export function isRefusal(code: number): boolean {
  return Object.values(REFUSALS).includes(code);
}
