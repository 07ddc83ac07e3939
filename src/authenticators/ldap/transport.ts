/**
 * A connection to one server, with TLS before anything else is sent: LDAPS, or StartTLS (RFC 4511, section 4.14). It is made
 * here and not by ldapts, which connects again without TLS after a failure, and checks a wrong name after StartTLS.
 */
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { BerReader } from "ldapts";
import { messageLength } from "./framed.ts";
import type { Server } from "./servers.ts";

export interface TlsRules {
  /** StartTLS where the server is not LDAPS. */
  readonly startTls: boolean;
  readonly verify: boolean;
  readonly context: SecureContext;
  /** Sessions by server, for abbreviated handshakes. */
  readonly sessions: Map<Server, Buffer>;
}

/** Request 1: extended operation 1.3.6.1.4.1.1466.20037. */
const START_TLS = Buffer.from("\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", "latin1");
const EXTENDED_RESPONSE = 0x78;
const LONGEST_RESPONSE = 4096;

const quiet = (): void => undefined;

/** The server is reached, but its TLS cannot be trusted or used. */
class TlsProblem extends Error {}

/** Rejects with an error whose message says what failed, and with `signal.reason` after an abort. */
export async function openTransport(server: Server, rules: TlsRules, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host: server.host, port: server.port, noDelay: true });
  // TLS over it does not take its errors, and one without a listener would end the process.
  socket.on("error", quiet);
  const abort = (): void => void socket.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await settled(socket, "connect");
    if (server.secure) return await secure(socket, server, rules, signal);
    if (!rules.startTls) return socket;
    await askForTls(socket);
    return await secure(socket, server, rules, signal);
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function settled(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.off("error", failed);
      socket.off("close", closed);
      resolve();
    };
    const failed = (error: Error): void => reject(error);
    const closed = (): void => reject(new Error("The server closed the connection."));
    socket.once(event, done);
    socket.once("error", failed);
    socket.once("close", closed);
  });
}

async function secure(
  socket: Socket,
  server: Server,
  { verify, context, sessions }: TlsRules,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const session = sessions.get(server);
  const secured = connectTls({
    socket,
    host: server.host,
    ...(isIP(server.host) === 0 && { servername: server.host }),
    secureContext: context,
    rejectUnauthorized: verify,
    minVersion: "TLSv1.2",
    ...(session !== undefined && { session }),
  });
  secured.on("error", quiet);
  secured.on("session", (fresh: Buffer) => sessions.set(server, fresh));
  const abort = (): void => void secured.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await settled(secured, "secureConnect");
  } catch (error) {
    secured.destroy();
    sessions.delete(server);
    if (signal.aborted) throw signal.reason;
    throw new TlsProblem(`TLS failed: ${tlsMessage(error)}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return secured;
}

const UNKNOWN_AUTHORITY: ReadonlySet<unknown> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

/** Node's own advice is about its options, ours about the configuration. */
function tlsMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message.replace(/; if the root CA is installed locally.*$/s, "");
  const { code } = error as NodeJS.ErrnoException;
  if (UNKNOWN_AUTHORITY.has(code))
    return `${text}. Name the certificate of the directory's authority in tls_ca_file.`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `${text}. server_address must be a name in the certificate.`;
  return text;
}

/** Sends the request in plain text and reads the answer. Nothing may follow it before the handshake. */
async function askForTls(socket: Socket): Promise<void> {
  const answer = await new Promise<Buffer>((resolve, reject) => {
    let received = Buffer.alloc(0);
    const leave = (end: () => void): void => {
      socket.off("data", take);
      socket.off("error", failed);
      socket.off("close", closed);
      socket.pause();
      end();
    };
    const failed = (error: Error): void => leave(() => reject(error));
    const closed = (): void =>
      failed(new TlsProblem("The server closed the connection when asked for StartTLS."));
    const take = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      const length = messageLength(received);
      if (length === null || length > LONGEST_RESPONSE)
        failed(new Error("The server sent an answer that is not LDAP."));
      else if (length > 0 && received.length > length) {
        failed(new TlsProblem("The server sent more than the answer to StartTLS before TLS."));
      } else if (length > 0 && received.length === length) leave(() => resolve(received));
    };
    socket.on("data", take);
    socket.once("error", failed);
    socket.once("close", closed);
    socket.write(START_TLS);
  });
  const { code, text } = readResult(answer);
  if (code !== 0) {
    throw new TlsProblem(`The server refused StartTLS (result ${code}${text === "" ? "" : `: ${text}`}).`);
  }
}

function readResult(answer: Buffer): { readonly code: number; readonly text: string } {
  const garbage = new Error("The server sent an answer that is not LDAP.");
  try {
    const reader = new BerReader(answer);
    reader.readSequence();
    if (reader.readInt() !== 1 || reader.readSequence() !== EXTENDED_RESPONSE) throw garbage;
    const code = reader.readEnumeration();
    reader.readString();
    const text = (reader.readString() ?? "").replaceAll(/\p{Cc}/gu, " ").slice(0, 200);
    if (code === null) throw garbage;
    return { code, text };
  } catch {
    throw garbage;
  }
}
