/**
 * Accepts every name and password (`tiled.authenticators:DummyAuthenticator`), for tests and demonstrations. Refuses only
 * names that a database cannot store.
 */
import { type Static, Type } from "typebox";
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  PasswordAuthenticator,
} from "../domain/ports/authenticator.ts";

const ARGS = Type.Object(
  {
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the user name" }),
    ),
  },
  { additionalProperties: false },
);

const MAX_NAME = 255;

export class DummyAuthenticator implements PasswordAuthenticator {
  static readonly args = ARGS;
  readonly kind = "password";
  readonly caseSensitive = true;
  readonly confirmationMessage: string;

  constructor(args: Static<typeof ARGS>, context: AuthenticatorContext) {
    this.confirmationMessage = args.confirmation_message ?? "";
    context.warn(
      "DummyAuthenticator accepts every user name with every password. Use it for tests and demonstrations only.",
    );
  }

  async authenticate(username: string): Promise<AuthenticatedIdentity | null> {
    const storable = username !== "" && !username.includes("\0") && username.isWellFormed();
    return storable && [...username].length <= MAX_NAME ? { id: username } : null;
  }
}
