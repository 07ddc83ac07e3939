/**
 * The bodies of errors. Answers that two routes share are in components of `/openapi.json`, so a route lists its statuses
 * only. What any route may answer, `http/operation/openapi-answers.ts` adds.
 */
import { Type } from "typebox";

export const ErrorAnswer = Type.Object(
  { detail: Type.String({ description: "The reason, for people" }) },
  { title: "Error" },
);

const Problem = Type.Object(
  {
    type: Type.String({ description: "e.g. `missing`" }),
    loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
      description: 'e.g. `["body", "scopes"]`',
    }),
    msg: Type.String(),
  },
  { title: "ValidationError" },
);

/** Of 422. */
export const InvalidAnswer = Type.Object(
  { detail: Type.Union([Type.Array(Problem), Type.String()]) },
  { title: "HTTPValidationError" },
);

const OAuthError = Type.Object(
  {
    error: Type.String({
      description: "e.g. `authorization_pending` (RFC 6749, section 5.2; RFC 8628, section 3.5)",
    }),
    error_description: Type.Optional(Type.String()),
  },
  { title: "OAuthError" },
);

/** Of the OAuth routes: to a form as OAuth has it, to JSON with the same in `detail`. */
export const GrantProblem = Type.Object(
  {
    detail: Type.Optional(
      Type.Union([OAuthError, Type.Array(Problem), Type.String()], { description: "In answer to JSON" }),
    ),
    error: Type.Optional(Type.String({ description: "In answer to a form (RFC 6749, section 5.2)" })),
    error_description: Type.Optional(Type.String()),
  },
  { title: "GrantError" },
);

/** The answers of a route that refuses with these statuses. */
export function refusals<Status extends number>(...statuses: readonly Status[]) {
  const entries = statuses.map((status) => [status, status === 422 ? InvalidAnswer : ErrorAnswer]);
  return Object.fromEntries(entries) as Readonly<Record<Status, typeof ErrorAnswer>>;
}
