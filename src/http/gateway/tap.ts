/**
 * Connections whose bytes can bypass the HTTP client: once the head of a large answer is parsed, its body needs no parser,
 * and one buffer serves all of it. Plain TCP only.
 */
import { connect, type Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher, errors } from "undici";

/** The connection that a request is sent on. */
export interface Line {
  /** Sends everything from now on to the sink, if the connection allows it. */
  open(sink: Sink): void;
  resume(): void;
  /** Closes the connection, so that no other request uses it. */
  drop(): void;
}

/** Takes the rest of an answer. */
export interface Sink {
  /** Whether everything before has been passed on. */
  isReady(): boolean;
  /** Takes the bytes, which stay valid until it returns; if it returns false, until `Tap.resume`. */
  take(bytes: Uint8Array): boolean;
}

const ORDINARY = 65_536;
const LARGE = 1_048_576;

class Tap implements Line {
  readonly #timeoutMs: number;
  readonly #common: Buffer;
  #own: Buffer | undefined;
  #socket: Socket | undefined;
  #sink: Sink | undefined;

  /** `common`: a buffer that all connections share, for bytes that are copied at once. */
  constructor(common: Buffer, timeoutMs: number) {
    this.#common = common;
    this.#timeoutMs = timeoutMs;
  }

  /** For undici. */
  readonly connector: buildConnector.connector = ({ hostname, port }, callback) => {
    this.#sink = undefined;
    this.#own = undefined;
    const socket: Socket = connect({
      host: hostname,
      port: Number(port || 80),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      onread: {
        buffer: () => this.#own ?? this.#common,
        callback: (count: number, buffer: Uint8Array): boolean =>
          this.#read(socket, buffer.subarray(0, count)),
      },
    });
    const limit = setTimeout(() => socket.destroy(new errors.ConnectTimeoutError()), this.#timeoutMs);
    const refused = (error: Error) => {
      clearTimeout(limit);
      callback(error, null);
    };
    socket.once("error", refused).once("connect", () => {
      clearTimeout(limit);
      socket.off("error", refused);
      this.#socket = socket;
      callback(null, socket);
    });
  };

  /** Applies to the next bytes that the HTTP client has not seen, until the connection is dropped. */
  open(sink: Sink): void {
    this.#sink = sink;
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** The HTTP client would wait for an end that it will not see. */
  drop(): void {
    this.#sink = undefined;
    this.#socket?.destroy();
  }

  #read(socket: Socket, bytes: Uint8Array): boolean {
    const sink = this.#sink;
    if (sink === undefined || socket.readableLength > 0 || !sink.isReady())
      return socket.push(Buffer.from(bytes));
    if (this.#own !== undefined) return sink.take(bytes);
    this.#own = Buffer.allocUnsafeSlow(LARGE);
    return sink.take(Buffer.from(bytes));
  }
}

/** TLS: only the HTTP client can read its bytes. */
class Sealed implements Line {
  readonly #connect: buildConnector.connector;
  #socket: Socket | undefined;

  constructor(connect: buildConnector.connector) {
    this.#connect = connect;
  }

  readonly connector: buildConnector.connector = (options, callback) => {
    this.#connect(options, (...made) => {
      this.#socket = made[1] ?? undefined;
      callback(...made);
    });
  };

  open(): void {}

  resume(): void {}

  drop(): void {
    this.#socket?.destroy();
  }
}

/** Tells a request which connection it is sent on. */
export interface TappedOptions extends Dispatcher.DispatchOptions {
  readonly onLine: (line: Line) => void;
}

class TappedClient extends Client {
  readonly #line: Line;

  constructor(origin: string, options: Client.Options, line: Tap | Sealed) {
    super(origin, { ...options, connect: line.connector });
    this.#line = line;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    (options as Partial<TappedOptions>).onLine?.(this.#line);
    return super.dispatch(options, handler);
  }
}

/** Factory of clients for undici's pool. */
export function tappedClients(timeoutMs: number): (origin: URL, options: object) => Dispatcher {
  const common = Buffer.allocUnsafeSlow(ORDINARY);
  return (origin, options) => new TappedClient(origin.origin, options, new Tap(common, timeoutMs));
}

/** The same for TLS, without a tap. */
export function sealedClients(origin: URL, options: object): Dispatcher {
  const { connect } = options as { readonly connect: buildConnector.connector };
  return new TappedClient(origin.origin, options, new Sealed(connect));
}
