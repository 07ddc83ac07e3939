/**
 * The demo: two accounts with new passwords at each start, the minimal tree, everything in memory. It ignores the
 * environment, so that it is the same everywhere.
 */
import { configFromObject } from "../../config/load.ts";
import type { Config } from "../../config/model.ts";
import type { RunningServer } from "../../server.ts";
import { newPassword } from "../console/passwords.ts";

interface Demo {
  readonly config: Config;
  /** What to type, with the passwords. Printed once. */
  readonly notice: (server: Pick<RunningServer, "url">) => string;
}

export function demo(listen: {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}): Demo {
  const accounts = { alice: newPassword(), bob: newPassword() };
  const config = configFromObject(
    {
      authentication: {
        providers: [
          {
            provider: "demo",
            authenticator: "tiled.authenticators:DictionaryAuthenticator",
            args: { users_to_passwords: accounts },
          },
        ],
        tiled_admins: [{ provider: "demo", id: "alice" }],
      },
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
      pages: { title: "Tiled demo" },
      log: { level: "warn" },
    },
    {},
    listen,
    "the demo",
  );
  // Its notice says already that it keeps nothing.
  return { config: { ...config, warnings: [] }, notice: ({ url }) => notice(url, accounts) };
}

function notice(url: string, { alice, bob }: { readonly alice: string; readonly bob: string }): string {
  return `The Tiled demo is ready: ${url}

Accounts, made for this start:

    user name  password
    alice      ${alice}   (administrator)
    bob        ${bob}

In Python (pip install "tiled[client]"); it asks for one of these:

    from tiled.client import from_uri
    c = from_uri(${JSON.stringify(url)})
    c["A"].read()

Ctrl-C ends the demo and forgets everything.`;
}
