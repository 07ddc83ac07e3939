/**
 * An authenticator of an operator's own that answers only when it is told to, for tests of what is under way.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Slow {
  stopped?: boolean;
  /** Called when a request has arrived. */
  onAsked?: () => void;
  /** Lets it answer: every password is right. */
  answer(): void;
}

const MODULE = `export class Slow {
  static args = { type: "object", properties: { seconds: { type: "number" }, announce: { type: "boolean" } }, additionalProperties: false };
  kind = "password";
  confirmationMessage = "";
  constructor({ seconds, announce = false }, { provider }) {
    this.announce = announce;
    globalThis[Symbol.for(provider)] = this;
    this.answers = new Promise((resolve) => {
      this.answer = resolve;
      if (seconds !== undefined) this.onAsked = () => setTimeout(resolve, seconds * 1000);
    });
  }
  async authenticate(username) {
    if (this.announce) process.stderr.write("asked\\n");
    this.onAsked?.();
    await this.answers;
    return { id: username };
  }
  async stop() { this.stopped = true; }
}
`;

/**
 * Its name in a configuration. Args: `seconds` after which it answers by itself; `announce` for a line "asked" on stderr
 * at each request.
 */
export async function slowAuthenticator(folder: string): Promise<string> {
  const file = join(folder, "slow.mjs");
  await writeFile(file, MODULE);
  return `${file}:Slow`;
}

/** The one that was made for a provider in this process. */
export function slowOf(provider: string): Slow {
  const found = (globalThis as unknown as Record<symbol, Slow | undefined>)[Symbol.for(provider)];
  if (found === undefined) throw new Error(`No authenticator was made for ${provider}.`);
  return found;
}

export function login(url: string, provider: string): Promise<Response> {
  return fetch(`${url}/api/v1/auth/provider/${provider}/token`, {
    method: "POST",
    body: new URLSearchParams({ username: "alice", password: "secret" }),
  });
}
