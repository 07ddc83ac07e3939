/**
 * Connections to a server behind this one, as undici keeps them. A request learns which connection it is sent on, so that one
 * which the server is about to close is not used again.
 */
import type { Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher } from "undici";

/** The connection that a request is sent on. */
export class Connection {
  readonly #connect: buildConnector.connector;
  #socket: Socket | undefined;

  constructor(connect: buildConnector.connector) {
    this.#connect = connect;
  }

  /** For undici. */
  readonly connector: buildConnector.connector = (options, callback) => {
    this.#connect(options, (...made) => {
      this.#socket = made[1] ?? undefined;
      callback(...made);
    });
  };

  /** Closes the connection, so that no other request uses it. */
  drop(): void {
    this.#socket?.destroy();
  }
}

export interface DispatchOptions extends Dispatcher.DispatchOptions {
  readonly onConnection: (connection: Connection) => void;
}

class ReportingClient extends Client {
  readonly #connection: Connection;

  constructor(origin: string, options: Client.Options, connection: Connection) {
    super(origin, { ...options, connect: connection.connector });
    this.#connection = connection;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    (options as Partial<DispatchOptions>).onConnection?.(this.#connection);
    return super.dispatch(options, handler);
  }
}

/** Factory of clients for undici's pool. */
export function reportingClients(origin: URL, options: object): Dispatcher {
  const { connect } = options as { readonly connect: buildConnector.connector };
  return new ReportingClient(origin.origin, options, new Connection(connect));
}
