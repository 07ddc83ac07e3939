/**
 * An LDAP server that a test scripts: it answers as Active Directory, or badly. Messages are written with ldapts' BER classes.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { BerReader, BerWriter } from "ldapts";
import type { Cleanup } from "./folders.ts";

export interface Asked {
  readonly id: number;
  /** The operation's tag: 0x60 bind, 0x63 search, 0x77 extended. */
  readonly operation: number;
  /** Of a bind. */
  readonly name: string;
  readonly password: string;
  readonly socket: Socket;
  readonly secure: boolean;
}

export interface FakeDirectory {
  readonly port: number;
  /** Everything that was asked, in order. */
  readonly asked: readonly Asked[];
  readonly connections: number;
}

export const BIND = 0x60;
export const SEARCH = 0x63;
export const EXTENDED = 0x77;

interface Script {
  /** The answer's bytes; null: silence. */
  readonly answer: (asked: Asked) => Buffer | null;
  /** Certificate and key for StartTLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A result (RFC 4511, section 4.1.9). */
export function result(id: number, tag: number, code: number, text = ""): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(tag);
  writer.writeEnumeration(code);
  writer.writeString("");
  writer.writeString(text);
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

export function entry(
  id: number,
  dn: string,
  attributes: Readonly<Record<string, readonly string[]>>,
): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(0x64);
  writer.writeString(dn);
  writer.startSequence();
  for (const [name, values] of Object.entries(attributes)) {
    writer.startSequence();
    writer.writeString(name);
    writer.startSequence(0x31);
    for (const value of values) writer.writeString(value);
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

/** The answer's tag of each operation. */
export const ANSWERS: Readonly<Record<number, number>> = { [BIND]: 0x61, [SEARCH]: 0x65, [EXTENDED]: 0x78 };

export async function fakeDirectory(cleanup: Cleanup, { answer, tls }: Script): Promise<FakeDirectory> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const fake = { port: 0, asked, connections: 0 };
  const serve = (socket: Socket, secure: boolean): void => {
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined);
    const take = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      if (received[0] !== 0x30) {
        socket.destroy();
        return;
      }
      for (let one = read(received); one !== undefined; one = read(received)) {
        received = received.subarray(one.size);
        const question: Asked = { ...one.asked, socket, secure };
        asked.push(question);
        const bytes = answer(question);
        if (bytes !== null) socket.write(bytes);
        if (question.operation === EXTENDED && tls !== undefined && bytes !== null && !secure) {
          socket.off("data", take);
          const secured = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) });
          serve(secured, true);
        }
      }
    };
    socket.on("data", take);
  };
  const server: Server = createServer((socket) => {
    fake.connections += 1;
    sockets.add(socket);
    serve(socket, false);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  fake.port = (server.address() as AddressInfo).port;
  cleanup(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => void server.close(resolve));
  });
  return fake;
}

function read(
  buffer: Buffer,
): { readonly size: number; readonly asked: Omit<Asked, "socket" | "secure"> } | undefined {
  if (buffer.length < 2) return undefined;
  const reader = new BerReader(buffer);
  if (reader.readSequence() === null || reader.remain < reader.length) return undefined;
  const size = reader.offset + reader.length;
  const id = reader.readInt() ?? 0;
  const operation = reader.readSequence() ?? 0;
  let [name, password] = ["", ""];
  if (operation === BIND) {
    reader.readInt();
    name = reader.readString() ?? "";
    password = reader.peek() === 0x80 ? (reader.readString(0x80) ?? "") : "";
  }
  return { size, asked: { id, operation, name, password } };
}
