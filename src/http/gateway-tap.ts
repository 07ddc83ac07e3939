/**
 * Connections to a server behind this one whose bytes can be taken before the HTTP client reads them: once the head of a
 * large answer is read, its body needs no parser, and one buffer is enough for all of it. Plain TCP only.
 */
import { connect, type Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher, errors } from "undici";

/** Where the rest of an answer goes. */
export interface Sink {
  /** Whether all that came before is on its way already. */
  isReady(): boolean;
  /** Takes the bytes, which are good until it returns, or until `Tap.resume` where it answers false. */
  take(bytes: Uint8Array): boolean;
}

const ORDINARY = 65_536;
const LARGE = 1_048_576;

export class Tap {
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

/** A request that can be tapped: it is told of the connection that it is sent on. */
export interface TappedOptions extends Dispatcher.DispatchOptions {
  readonly onTap: (tap: Tap) => void;
}

class TappedClient extends Client {
  readonly #tap: Tap;

  constructor(origin: string, options: Client.Options, tap: Tap) {
    super(origin, { ...options, connect: tap.connector });
    this.#tap = tap;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    (options as Partial<TappedOptions>).onTap?.(this.#tap);
    return super.dispatch(options, handler);
  }
}

/** For undici's pool: how it makes its connections. */
export function tappedClients(timeoutMs: number): (origin: URL, options: object) => Dispatcher {
  const common = Buffer.allocUnsafeSlow(ORDINARY);
  return (origin, options) => new TappedClient(origin.origin, options, new Tap(common, timeoutMs));
}
