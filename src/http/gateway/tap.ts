/**
 * Connections to a server behind this one whose bytes can be taken before the HTTP client reads them: once the head of a
 * large answer is read, its body needs no parser, and one buffer is enough for all of it. Plain TCP only.
 */
import { connect, type Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher, errors } from "undici";

/** The connection that a request is sent on. */
export interface Line {
  /** All that comes from now on goes to the sink, where that can be. */
  open(sink: Sink): void;
  resume(): void;
  /** No other request is sent on it. */
  drop(): void;
}

/** Where the rest of an answer goes. */
export interface Sink {
  /** Whether all that came before is on its way already. */
  isReady(): boolean;
  /** Takes the bytes, which are good until it returns, or until `Tap.resume` where it answers false. */
  take(bytes: Uint8Array): boolean;
}

const ORDINARY = 65_536;
const LARGE = 1_048_576;

export class Tap implements Line {
  readonly #timeoutMs: number;
  readonly #common: Buffer;
  #own: Buffer | undefined;
  #socket: Socket | undefined;
  #sink: Sink | undefined;

  /** `common`: for what is copied at once, whoever reads it. */
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

  /** From the next bytes on that the HTTP client has not seen, until the connection is dropped. */
  open(sink: Sink): void {
    this.#sink = sink;
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** It is of no further use: the HTTP client waits for an end that it will not see. */
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

/** TLS: its bytes are the HTTP client's. */
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

/** A request is told of the connection that it is sent on. */
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

/** For undici's pool: how it makes its connections. */
export function tappedClients(timeoutMs: number): (origin: URL, options: object) => Dispatcher {
  const common = Buffer.allocUnsafeSlow(ORDINARY);
  return (origin, options) => new TappedClient(origin.origin, options, new Tap(common, timeoutMs));
}

/** The same for TLS, where nothing is tapped. */
export function sealedClients(origin: URL, options: object): Dispatcher {
  const { connect } = options as { readonly connect: buildConnector.connector };
  return new TappedClient(origin.origin, options, new Sealed(connect));
}
