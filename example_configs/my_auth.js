/**
 * An authenticator of your own, in plain JavaScript: users and scrypt hashes of their passwords in a JSON file. In the
 * configuration:
 *
 *   authentication:
 *     providers:
 *       - provider: lab
 *         authenticator: ./my_auth.js:MyAuthenticator
 *         args: {users_file: ./users.json}
 *
 * Print a line for the file (type or pipe the password in):   node my_auth.js alice
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Runs in another thread than the server. */
const derive = promisify(scrypt);
const hash = (password, salt) => derive(password, salt, HASH_BYTES, { N: 2 ** 14, r: 8, p: 5 });

export class MyAuthenticator {
  /** JSON Schema of `args`; an unknown or missing argument stops the start of the server. */
  static args = {
    type: "object",
    properties: {
      users_file: { type: "string", minLength: 1 },
      confirmation_message: { type: "string", default: "" },
    },
    required: ["users_file"],
    additionalProperties: false,
  };

  /** Takes a user name and a password. */
  kind = "password";
  /** Clients show it after a login; `{id}` stands for the user's name. */
  confirmationMessage;
  #file;

  /** `context` has the provider's name, the configuration's folder and `warn(message)`. */
  constructor(args, context) {
    this.confirmationMessage = args.confirmation_message;
    this.#file = resolve(context.directory, args.users_file);
  }

  /** Optional: runs before the server listens. An error stops the start. */
  async start() {
    await this.#users();
  }

  /**
   * Returns an identity, or null for a wrong password and for an unknown user. Throws only if the users cannot be looked up,
   * which is not the user's fault.
   */
  async authenticate(username, password) {
    // scrypt pads with NUL: the right password followed by a NUL would have the same hash.
    if (password.includes("\0")) return null;
    const user = (await this.#users()).get(username);
    // Hash for an unknown user too, or the time would reveal which users exist.
    const expected = user ?? { salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
    const equal = timingSafeEqual(await hash(password, expected.salt), expected.hash);
    return user !== undefined && equal ? { id: username } : null;
  }

  /** Reads the file at each login, so it can change while the server runs. */
  async #users() {
    const users = new Map();
    for (const [name, entry] of Object.entries(JSON.parse(await readFile(this.#file, "utf8")))) {
      const [salt, hashed] = String(entry)
        .split(":")
        .map((hex) => Buffer.from(hex, "hex"));
      if (salt?.length !== SALT_BYTES || hashed?.length !== HASH_BYTES) {
        throw new Error(`${this.#file}: the entry of '${name}' is not '<salt>:<hash>', in hex`);
      }
      users.set(name, { salt, hash: hashed });
    }
    return users;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  const salt = randomBytes(SALT_BYTES);
  const entry = `${salt.toString("hex")}:${(await hash(password, salt)).toString("hex")}`;
  console.log(`${JSON.stringify(process.argv[2])}: ${JSON.stringify(entry)}`);
}
