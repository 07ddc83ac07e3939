/**
 * The connection of one login: ldapts over a transport that is made once (`transport.ts`), so that nothing can be sent after
 * it broke, let alone without TLS. Results about a person are values; a broken directory is a `Failure`.
 */
import type { Socket } from "node:net";
import { Client, DN, type Entry, PasswordPolicyControl, ResultCodeError } from "ldapts";
import type { Failure } from "../../errors.ts";
import { away } from "./away.ts";
import { FramedSocket } from "./framed.ts";
import { bindRefusal, policyRefusal, type Refusal } from "./reasons.ts";
import type { Server, Servers } from "./servers.ts";
import { openTransport, type TlsRules } from "./transport.ts";

export interface ConnectOptions {
  readonly servers: Servers;
  readonly tls: TlsRules;
  /** Milliseconds for one server. */
  readonly connectTimeout: number;
  /** The end of the login. */
  readonly signal: AbortSignal;
  /** Called with each step, for `tiled config try`. */
  readonly report: (step: string) => void;
}

export interface SearchRequest {
  readonly base: string;
  readonly scope: "base" | "sub";
  readonly filter: string;
  readonly attributes: readonly string[];
  /** Entries; further ones are left out. */
  readonly limit: number;
  /** Page by page (RFC 2696), since servers send only some hundred entries at once. */
  readonly paged?: boolean;
}

/** `missing`: the base is not there, or may not be read. */
export type Found =
  /** `cut`: the server sends no further ones. */
  | { readonly kind: "entries"; readonly entries: readonly Entry[]; readonly cut?: boolean }
  | { readonly kind: "missing" };

/** RFC 4511, appendix A: those that a bind answers. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [8, "stronger authentication required"],
  [13, "confidentiality required"],
  [32, "no such object"],
  [34, "invalid DN syntax"],
  [48, "inappropriate authentication"],
  [49, "invalid credentials"],
  [51, "busy"],
  [52, "unavailable"],
  [53, "unwilling to perform"],
]);
const REFERRAL = 10;
const SIZE_LIMIT_EXCEEDED = 4;
const NO_SUCH_OBJECT = 32;
const PAGE = 500;

/** ldapts takes a text such as EXTERNAL for a SASL mechanism, and a `DN` never. */
class Name extends DN {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  override toString(): string {
    return this.#text;
  }
}

export class Connection {
  readonly server: Server;
  readonly #client: Client;
  readonly #socket: FramedSocket;
  readonly #options: ConnectOptions;
  readonly #abort: () => void;

  private constructor(socket: Socket, server: Server, options: ConnectOptions) {
    this.server = server;
    this.#options = options;
    const framed = new FramedSocket(socket);
    this.#socket = framed;
    let used = false;
    this.#client = new Client({
      url: "ldap://directory",
      createConnection: () => {
        if (used) throw new Error("The connection is broken.");
        used = true;
        return framed as unknown as Socket;
      },
    });
    this.#abort = () => framed.destroy(new Error("It took too long."));
    options.signal.addEventListener("abort", this.#abort, { once: true });
  }

  /** Connects to the first server that works. */
  static async open(options: ConnectOptions): Promise<Connection> {
    const { servers, tls, connectTimeout, signal, report } = options;
    const failures: string[] = [];
    let late = false;
    for (const server of servers.inOrder()) {
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(new Error("no connection in time")), connectTimeout);
      try {
        const socket = await openTransport(server, tls, AbortSignal.any([signal, timeout.signal]));
        servers.worked(server);
        report(`Connected to ${server.name}${secured(server, tls)}.`);
        return new Connection(socket, server, options);
      } catch (error) {
        servers.failed(server);
        late = timeout.signal.aborted || signal.aborted;
        failures.push(`${server.name}: ${messageOf(error)}`);
        report(`${server.name} failed: ${messageOf(error)}`);
        if (signal.aborted) break;
      } finally {
        clearTimeout(timer);
      }
    }
    throw away(
      late ? "gateway_timeout" : "bad_gateway",
      `The directory cannot be used: ${failures.join("; ")}`,
    );
  }

  /** As the search user. Any refusal means that the configuration is wrong. */
  async bindSearchUser(dn: string, password: string): Promise<void> {
    try {
      await this.#run(() => this.#client.bind(new Name(dn), password));
    } catch (error) {
      if (!(error instanceof ResultCodeError)) throw error;
      throw this.#broken(`it refused the search user ${dn} (${resultOf(error)})`, error);
    }
  }

  /** As the person. Undefined: in. */
  async bindPerson(dn: string, password: string): Promise<Refusal | undefined> {
    const policy = new PasswordPolicyControl();
    try {
      await this.#run(() => this.#client.bind(new Name(dn), password, policy));
    } catch (error) {
      if (!(error instanceof ResultCodeError)) throw error;
      const refusal = bindRefusal(error.code, error.message);
      if (refusal === undefined) throw this.#broken(`it cannot check passwords (${resultOf(error)})`, error);
      return policyRefusal(policy.value?.error) ?? refusal;
    }
    return policyRefusal(policy.value?.error);
  }

  /** Referrals count as nothing found. */
  async search({ base, scope, filter, attributes, limit, paged = false }: SearchRequest): Promise<Found> {
    const options = { scope, filter, attributes: [...attributes] };
    const entries: Entry[] = [];
    try {
      if (!paged) {
        const { searchEntries } = await this.#run(() =>
          this.#client.search(base, { ...options, sizeLimit: limit }),
        );
        return { kind: "entries", entries: searchEntries.slice(0, limit) };
      }
      const pages = this.#client.searchPaginated(base, { ...options, paged: { pageSize: PAGE } });
      while (entries.length < limit) {
        const page = await this.#run(() => pages.next());
        if (page.done === true) break;
        const before = entries.length;
        entries.push(...page.value.searchEntries);
        if (entries.length === before) break;
      }
      return { kind: "entries", entries: entries.slice(0, limit) };
    } catch (error) {
      if (!(error instanceof ResultCodeError)) throw error;
      if (error.code === SIZE_LIMIT_EXCEEDED && paged) return { kind: "entries", entries, cut: true };
      if (error.code === NO_SUCH_OBJECT) return { kind: "missing" };
      if (error.code === REFERRAL) return { kind: "entries", entries: [] };
      throw this.#broken(`its search below '${base}' failed (${resultOf(error)})`, error);
    }
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#abort);
    if (!this.#socket.destroyed) await this.#client.unbind().catch(() => undefined);
    this.#socket.destroy();
  }

  /** Results that the directory sent are rethrown as they are; all else is a failure of the connection. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    const { signal, servers } = this.#options;
    try {
      signal.throwIfAborted();
      if (this.#socket.destroyed) throw new Error("The connection is broken.");
      return await work();
    } catch (error) {
      if (error instanceof ResultCodeError) throw error;
      servers.failed(this.server);
      this.#socket.destroy();
      if (!signal.aborted) throw this.#broken(messageOf(this.#socket.errored ?? error), error);
      throw away("gateway_timeout", `The directory ${this.server.name} did not answer in time.`, error);
    }
  }

  #broken(how: string, cause: unknown): Failure {
    return away("bad_gateway", `The directory ${this.server.name} cannot be used: ${how}`, cause);
  }
}

function secured(server: Server, { startTls, verify }: TlsRules): string {
  if (!server.secure && !startTls) return " without TLS";
  return `${server.secure ? " with TLS" : " with StartTLS"}${verify ? "" : ", its certificate unchecked"}`;
}

function resultOf({ code, message }: ResultCodeError): string {
  const text = message
    .replaceAll(/\p{Cc}/gu, " ")
    // ldapts' text where the server sends none.
    .replace(/^\s*Code: 0x[0-9a-f]+\s*$/i, NAMES.get(code) ?? "")
    .trim()
    .slice(0, 200);
  return text === "" ? `result ${code}` : `result ${code}: ${text}`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with several addresses fails with one error for each.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : error.message;
  return message.split("\n").at(-1) ?? message;
}
