/**
 * Logs in users from a list in the configuration (`tiled.authenticators:DictionaryAuthenticator`). Names and passwords must
 * match exactly, as in Tiled: no case folding, no Unicode normalization.
 */
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import { type Static, Type } from "typebox";
import type { AuthenticatedIdentity, PasswordAuthenticator } from "../domain/ports/authenticator.ts";

const ARGS = Type.Object(
  {
    users_to_passwords: Type.Unsafe<Readonly<Record<string, string>>>({
      description: "The password of each user name",
      type: "object",
      // A name becomes an identity, which databases hold in 255 characters without NUL.
      propertyNames: { minLength: 1, maxLength: 255, pattern: "^[^\\u0000]*$" },
      additionalProperties: { type: "string", minLength: 1 },
    }),
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the user name" }),
    ),
  },
  { additionalProperties: false },
);

export class DictionaryAuthenticator implements PasswordAuthenticator {
  static readonly args = ARGS;
  readonly kind = "password";
  readonly caseSensitive = true;
  readonly confirmationMessage: string;
  /** A key object: `createHmac` takes three times as long with bytes. */
  readonly #key = createSecretKey(randomBytes(32));
  readonly #digests = new Map<string, Uint8Array>();
  /** Compared with the password of an unknown user: no password has this digest. */
  readonly #noDigest = randomBytes(32);

  constructor(args: Static<typeof ARGS>) {
    this.confirmationMessage = args.confirmation_message ?? "";
    for (const [name, password] of Object.entries(args.users_to_passwords)) {
      this.#digests.set(name, this.#digest(password));
    }
  }

  async authenticate(username: string, password: string): Promise<AuthenticatedIdentity | null> {
    const expected = this.#digests.get(username) ?? this.#noDigest;
    return timingSafeEqual(expected, this.#digest(password)) ? { id: username } : null;
  }

  knows(username: string): boolean {
    return this.#digests.has(username);
  }

  /** UTF-16, since UTF-8 would turn every unpaired surrogate into the same character. */
  #digest(password: string): Uint8Array {
    return createHmac("sha256", this.#key).update(password, "utf16le").digest();
  }
}
