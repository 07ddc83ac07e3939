/**
 * `channel_binding=require`: a connection is used only where the server proved, by SCRAM-SHA-256-PLUS (RFC 5802, RFC 5929), that
 * it knows the password and is the end of the encrypted connection. With `enableChannelBinding` pg binds where the server offers
 * it, and does not insist.
 */
import type { EventEmitter } from "node:events";
import pg from "pg";

interface Wire extends EventEmitter {
  readonly stream: { destroy(error: Error): void };
}

const PLUS = "SCRAM-SHA-256-PLUS";

export class BoundClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const { connection } = this as unknown as { readonly connection: Wire };
    let bound = false;
    // Before pg's own listeners, which are added when it connects: no password is sent by another way.
    const refuse = (why: string) => {
      connection.emit(
        "error",
        new Error(
          `channel_binding=require: the server ${why}. Encryption and a SCRAM password are needed for it.`,
        ),
      );
      connection.stream.destroy(new Error("refused"));
    };
    connection.on("authenticationSASL", ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
      bound = mechanisms.includes(PLUS);
      if (!bound) refuse(`offers ${mechanisms.join(", ")} only`);
    });
    for (const way of ["authenticationCleartextPassword", "authenticationMD5Password"])
      connection.on(way, () => refuse("asks for a password in another way"));
    connection.on("authenticationOk", () => {
      if (!bound) refuse("lets this user in without a password");
    });
  }
}
