/**
 * `channel_binding=require`: a connection is used only if the server proved by SCRAM-SHA-256-PLUS (RFC 5802, RFC 5929) that it
 * knows the password and is the other end of the encrypted connection. pg's `enableChannelBinding` uses channel binding if the
 * server offers it, but does not require it.
 */
import type { EventEmitter } from "node:events";
import pg from "pg";

interface Wire extends EventEmitter {
  readonly stream: { destroy(error: Error): void };
}

const PLUS = "SCRAM-SHA-256-PLUS";

/** A client that refuses to authenticate without channel binding. */
export class BoundClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const { connection } = this as unknown as { readonly connection: Wire };
    let bound = false;
    // Runs before pg's own listeners, which are added when it connects, so the password is not sent by another method.
    const refuse = (why: string) => {
      connection.emit(
        "error",
        new Error(
          `channel_binding=require: the server ${why}. Channel binding needs encryption and a SCRAM password.`,
        ),
      );
      connection.stream.destroy(new Error("refused"));
    };
    connection.on("authenticationSASL", ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
      bound = mechanisms.includes(PLUS);
      if (!bound) refuse(`offers ${mechanisms.join(", ")} only`);
    });
    for (const way of ["authenticationCleartextPassword", "authenticationMD5Password"])
      connection.on(way, () => refuse("asks for the password by another method"));
    connection.on("authenticationOk", () => {
      if (!bound) refuse("lets this user in without a password");
    });
  }
}
