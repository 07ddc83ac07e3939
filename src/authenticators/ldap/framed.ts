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
const INTEGER = 0x02;
const ENUMERATED = 0x0a;
/** The operations that answer a bind and a search (RFC 4511, sections 4.2.2 and 4.5.2). */
const ANSWERS: Readonly<Record<number, readonly number[]>> = { 96: [0x61], 99: [0x64, 0x65, 0x73] };
/** Those that consist of a result. */
const RESULTS: readonly number[] = [0x61, 0x65];

export class FramedSocket extends Duplex {
  /** Read by ldapts. */
  readonly connecting = false;
  readonly readyState = "open";
  readonly #socket: Socket;
  #pending: Buffer[] = [];
  #size = 0;
  #needed = 0;
  #total = 0;
  /** What the newest request may be answered with. */
  #expected: readonly number[] = [];

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
    this.#expected = ANSWERS[operationOf(chunk)?.tag ?? 0] ?? [];
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
      const message = buffer.subarray(0, length);
      if (!this.#answers(message)) {
        this.#broken("an answer to another question, or one without a result");
        return;
      }
      this.push(message);
      this.#pending = length === buffer.length ? [] : [buffer.subarray(length)];
      this.#size = buffer.length - length;
      this.#needed = 0;
    }
  }

  /** ldapts takes any answer for the right one, and a missing result code for success. */
  #answers(message: Buffer): boolean {
    const operation = operationOf(message);
    if (operation === null || !this.#expected.includes(operation.tag)) return false;
    return (
      !RESULTS.includes(operation.tag) || message.readUInt16BE(operation.content) === ENUMERATED * 256 + 1
    );
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

/** The tag of a message's operation, and where its content begins, with room for two bytes. */
function operationOf(message: Buffer): { readonly tag: number; readonly content: number } | null {
  const id = headEnd(message, 0);
  if (id === null || message[id] !== INTEGER) return null;
  const tag = id + 2 + (message[id + 1] ?? 0);
  const content = headEnd(message, tag);
  return content === null || content + 2 > message.length ? null : { tag: message[tag] ?? 0, content };
}

/** Where the content of the element at `start` begins. */
function headEnd(buffer: Buffer, start: number): number | null {
  const first = buffer[start + 1];
  if (first === undefined) return null;
  return first < 0x80 ? start + 2 : start + 2 + (first - 0x80);
}
