/** Reads the fields of a login form, and says what was wrong with them. */
import { Failure } from "../../errors.ts";
import type { LoginProblem } from "../../pages/login-page.ts";

/** Spaces around a name are typed or pasted by mistake; a password is taken as it is. */
export function typedName({ username = "" }: { readonly username?: string }): string {
  return username.trim();
}

/** The problem to show beside the form; null for an error that needs a page of its own. */
export function loginProblem(error: unknown): LoginProblem | null {
  if (!(error instanceof Failure)) return null;
  switch (error.code) {
    case "wrong_password":
      return { kind: "wrong" };
    case "throttled":
      return { kind: "throttled", retryAfter: Number(error.headers["retry-after"] ?? 60) };
    case "invalid":
      return { kind: "unusable" };
    default:
      return null;
  }
}
