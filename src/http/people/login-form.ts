/** What a login form sends, as it is taken, and what is said beside it when it was not enough. */
import { Failure } from "../../errors.ts";
import type { LoginProblem } from "../../pages/login-page.ts";

/** A space around it was typed or pasted by mistake; a password is taken as it is. */
export function typedName({ username = "" }: { readonly username?: string }): string {
  return username.trim();
}

/** What is said beside the form; null for what needs a page of its own. */
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
