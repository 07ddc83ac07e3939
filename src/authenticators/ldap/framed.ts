/**
 * The connection as ldapts sees it: one whole message at a time (RFC 4511, section 5.1), none of them too long. ldapts keeps
 * what it cannot read for ever, and reads the messages of one packet recursively, so that a garbling server could exhaust
 * memory or the stack.
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Bytes. */
const LONGEST_MESSAGE = 1_048_576;
const LONGEST_ANSWERS = 16_777_216;
const SEQUENCE = 0x30;

export class FramedSocket extends Duplex {
  /** Read by ldapts. */
  readonly connecting = false;
  readonly readyState = "open";
  readonly #socket: Socket;
  #pending: Buffer[] = [];
  #size = 0;
  #needed = 0;
  #total = 0;

  constructor(socket: Socket) {
    super({ readableObjectMode: true, allowHalfOpen: false });
    this.#socket = socket;
    socket.on("data", (data: Buffer) => this.#take(data));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    // Messages are pushed as they come; their total is limited.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(data: Buffer): void {
    this.#total += data.length;
    if (this.#total > LONGEST_ANSWERS) {
      this.#broken("more than 16 MB of answers");
      return;
    }
    this.#pending.push(data);
    this.#size += data.length;
    while (this.#size >= this.#needed && this.#size > 0) {
      const buffer = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
      const length = messageLength(buffer);
      if (length === null || length > LONGEST_MESSAGE) {
        this.#broken(length === null ? "an answer that is not LDAP" : "an answer of more than 1 MB");
        return;
      }
      this.#pending = [buffer];
      if (length === 0 || length > buffer.length) {
        this.#needed = length === 0 ? buffer.length + 1 : length;
        return;
      }
      this.push(buffer.subarray(0, length));
      this.#pending = length === buffer.length ? [] : [buffer.subarray(length)];
      this.#size = buffer.length - length;
      this.#needed = 0;
    }
  }

  #broken(what: string): void {
    this.destroy(new Error(`The server sent ${what}.`));
  }
}

/** The length of the first message, its head included. 0: more of the head is needed. Null: it is none. */
export function messageLength(buffer: Buffer): number | null {
  if (buffer[0] !== SEQUENCE) return null;
  const first = buffer[1];
  if (first === undefined) return 0;
  if (first < 0x80) return first + 2;
  const digits = first - 0x80;
  if (digits === 0 || digits > 4) return null;
  if (buffer.length < 2 + digits) return 0;
  return buffer.readUIntBE(2, digits) + 2 + digits;
}
