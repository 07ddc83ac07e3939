/**
 * Calls to a provider: JSON over HTTP with a deadline, a size limit and no redirects. Other answers are `bad_gateway`, no
 * answer is `gateway_timeout`, and the log names the setting to look at.
 */
import { Failure } from "../../errors.ts";
import { bare, urlProblem } from "./urls.ts";

const MAX_BYTES = 1 << 20;

export interface Call {
  readonly url: string;
  /** As in "The provider's token endpoint". */
  readonly what: string;
  /** The source of the address, for the operator: `args.well_known_uri`. */
  readonly setting: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
  /** Statuses besides 200 whose JSON explains an error. */
  readonly explained?: readonly number[];
}

interface JsonAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface CallOptions {
  readonly fetch: typeof fetch;
  /** Milliseconds from the request to the last byte of the answer. */
  readonly deadline: number;
  /** Whether `http://` is allowed on this machine. */
  readonly loopback: boolean;
}

export class Calls {
  readonly #options: CallOptions;

  constructor(options: CallOptions) {
    this.#options = options;
  }

  /** A signal that aborts all calls of one login. */
  deadline(): AbortSignal {
    return AbortSignal.timeout(this.#options.deadline);
  }

  /** A JSON object. `signal`: of the login that waits. */
  async json(call: Call, signal: AbortSignal = this.deadline()): Promise<JsonAnswer> {
    const where = `${call.what} (${bare(call.url)}, from ${call.setting})`;
    const wrong = urlProblem(call.url, this.#options.loopback);
    if (wrong !== null)
      throw new Failure("bad_gateway", { log: `${where} is not called: its URL ${wrong}.` });
    try {
      return await this.#json(call, where, signal);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw signal.aborted ? tooSlow(where, this.#options.deadline) : unreachable(where, error);
    }
  }

  async #json(call: Call, where: string, signal: AbortSignal): Promise<JsonAnswer> {
    const { fetch } = this.#options;
    const response = await fetch(call.url, {
      method: call.method ?? "GET",
      headers: { accept: "application/json", "user-agent": "tiled-auth", ...call.headers },
      ...(call.body === undefined ? {} : { body: call.body }),
      redirect: "manual",
      signal,
    });
    const { status } = response;
    if (status !== 200 && !call.explained?.includes(status)) {
      await response.body?.cancel();
      const redirect = status >= 300 && status < 400 ? " Redirects are not followed." : "";
      throw new Failure("bad_gateway", { log: `${where} answered with status ${status}.${redirect}` });
    }
    const type = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "none";
    if (!/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
      await response.body?.cancel();
      throw new Failure("bad_gateway", {
        log: `${where} answered with status ${status} and no JSON: its content type is ${JSON.stringify(type.slice(0, 60))}.`,
      });
    }
    return { status, body: parse(await text(response, where), where) };
  }
}

/** Waits for a shared result until the signal is aborted. */
export async function within<T>(shared: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Failure("gateway_timeout", { log: `${what} did not come in time.` }));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([shared, over]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function text(response: Response, where: string): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  let whole = "";
  // An exception in the loop closes the connection.
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) {
      throw new Failure("bad_gateway", { log: `${where} answered with more than ${MAX_BYTES} bytes.` });
    }
    whole += decoder.decode(part, { stream: true });
  }
  return whole + decoder.decode();
}

function parse(body: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Failure("bad_gateway", { log: `${where} answered with something that is not JSON.` });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Failure("bad_gateway", { log: `${where} answered with JSON that is not an object.` });
  }
  return value as Readonly<Record<string, unknown>>;
}

function tooSlow(where: string, deadline: number): Failure {
  return new Failure("gateway_timeout", { log: `${where} did not answer within ${deadline / 1000} s.` });
}

function unreachable(where: string, error: unknown): Failure {
  return new Failure("bad_gateway", { log: `${where} cannot be reached: ${cause(error)}.` });
}

/** The innermost cause of `fetch failed` has the code of the system or of TLS. */
function cause(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (!(inner instanceof Error)) return "unknown reason";
  const { code } = inner as NodeJS.ErrnoException;
  return typeof code === "string" ? code : inner.message;
}
