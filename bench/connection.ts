/**
 * One keep-alive HTTP/1.1 connection that sends a request as soon as the previous answer has arrived. It knows just enough HTTP
 * for the servers under test, so the generator needs less CPU time than any of them.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `{token}` stands for the token. */
  readonly body: string;
  readonly token?: string;
}

/** The next request, given the previous answer (empty before the first); null: stop. */
export type Next = (answer: string) => Request | null;

export interface Counts {
  readonly latencies: number[];
  readonly statuses: Record<string, number>;
}

const END_OF_HEADERS = "\r\n\r\n";
/** A request that is sent again is encoded once. One process asks one port. */
const ENCODED = new WeakMap<Request, Buffer>();

export class Connection {
  readonly #socket: Socket;
  readonly #next: Next;
  readonly #pause: number;
  readonly #counts: Counts;
  readonly #port: number;
  #received: Buffer | null = null;
  #sent = 0;

  constructor(port: number, next: Next, pause: number, counts: Counts) {
    this.#port = port;
    this.#next = next;
    this.#pause = pause;
    this.#counts = counts;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.on("connect", () => this.#send(""));
    this.#socket.on("data", (chunk) => this.#receive(chunk));
  }

  /** Resolves when the last answer has arrived. */
  get ended(): Promise<unknown> {
    return once(this.#socket, "close");
  }

  close(): void {
    this.#socket.removeAllListeners("data").destroy();
  }

  #send(answer: string): void {
    const request = this.#next(answer);
    if (request === null) {
      this.close();
      return;
    }
    const bytes = ENCODED.get(request) ?? this.#encode(request);
    ENCODED.set(request, bytes);
    this.#sent = performance.now();
    this.#socket.write(bytes);
  }

  #encode({ method, path, headers, body: template, token }: Request): Buffer {
    const body = token === undefined ? template : template.replace("{token}", token);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const length = body === "" ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
    return Buffer.from(
      `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${this.#port}\r\n${lines.join("")}${length}\r\n${body}`,
    );
  }

  #receive(chunk: Buffer): void {
    const data = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    const end = data.indexOf(END_OF_HEADERS);
    if (end < 0) {
      this.#received = data;
      return;
    }
    const head = data.toString("latin1", 0, end);
    const start = end + END_OF_HEADERS.length;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (data.length < start + length) {
      this.#received = data;
      return;
    }
    this.#received = null;
    const status = head.slice(9, 12);
    this.#counts.latencies.push(performance.now() - this.#sent);
    this.#counts.statuses[status] = (this.#counts.statuses[status] ?? 0) + 1;
    const answer = data.toString("utf8", start, start + length);
    if (this.#pause === 0) this.#send(answer);
    else setTimeout(() => this.#send(answer), this.#pause);
  }
}
