/**
 * The program of a helper process: takes one PAM login after another from the server, over the channel of `process.ts`, and
 * answers each. It ends when that channel closes, so it never outlives the server.
 */
import type { Pam, PamOutcome } from "./library.ts";

export type PamRequest =
  | { readonly kind: "probe"; readonly service: string }
  | {
      readonly kind: "login";
      readonly service: string;
      /** UTF-8, ends in a NUL byte, like the password. */
      readonly username: Uint8Array;
      readonly password: Uint8Array;
    };

export type PamReply =
  /** `elapsed`: milliseconds of the PAM stack, without the delay after a failure. */
  | { readonly kind: "outcome"; readonly outcome: PamOutcome; readonly elapsed: number }
  /** libpam or koffi cannot be loaded. */
  | { readonly kind: "broken"; readonly reason: string };

function serve(pam: Pam, request: PamRequest): PamReply {
  if (request.kind === "probe") return { kind: "outcome", outcome: pam.probe(request.service), elapsed: 0 };
  const began = performance.now();
  try {
    const outcome = pam.login(request.service, request.username, request.password);
    return { kind: "outcome", outcome, elapsed: performance.now() - began };
  } finally {
    request.password.fill(0);
  }
}

async function load(): Promise<Pam | string> {
  try {
    const { openPam } = await import("./library.ts");
    return openPam();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

// Ctrl-C in a terminal reaches the whole group: the server decides when its logins end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);

const loading = load();
process.on("message", async (request: PamRequest) => {
  const pam = await loading;
  process.send?.(typeof pam === "string" ? { kind: "broken", reason: pam } : serve(pam, request));
});
