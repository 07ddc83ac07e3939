/**
 * `tiled login`, `logout` and `whoami`: the login of a person, shared with the Python client.
 */
import { type Command, Option } from "commander";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import type { LoginOptions } from "./login.ts";
import { type JsonOption, onServer, type ServerOptions, withJson } from "./options.ts";

export function accountVerbs(tiled: Command, terminal: Terminal): void {
  loginVerb(tiled, terminal);

  const logout = onServer(tiled.command("logout"))
    .description("end the login, on the server and on this computer")
    .action(async (options: ServerOptions) => (await import("./logout.ts")).logout(options, terminal));
  describe(logout, { examples: ["tiled logout", "tiled logout --profile lab"] });

  const whoami = withJson(onServer(tiled.command("whoami")))
    .description("show the identity that you are logged in with")
    .action(async (options: ServerOptions & JsonOption) =>
      (await import("./whoami.ts")).whoami(options, terminal),
    );
  describe(whoami, { examples: ["tiled whoami", "tiled whoami --json --url https://tiled.example.org"] });
}

function loginVerb(tiled: Command, terminal: Terminal): void {
  const login = withJson(onServer(tiled.command("login")))
    .description("log in to a server, for this command and for Python")
    .argument(
      "[url]",
      "the server's address. If there is no default profile, the profile 'auto' is created for it",
    )
    .option("--provider <name>", "log in with this provider instead of asking for one")
    .option("--username <name>", "log in with this user name instead of asking for one")
    .option("--no-browser", "print the address for a login in a browser, and do not open one")
    .addOption(
      new Option(
        "--show-secret-tokens",
        "print the tokens as JSON. Anyone who has them is logged in as you",
      ).conflicts("json"),
    )
    .action(async (url: string | undefined, options: LoginOptions, command: Command) => {
      if (url !== undefined && (options.url !== undefined || options.profile !== undefined))
        command.error(
          `error: argument 'url' cannot be used with option '--${options.url === undefined ? "profile" : "url"}'`,
        );
      const { login } = await import("./login.ts");
      await login({ ...options, ...(url !== undefined && { url }) }, terminal);
    });
  login.addHelpText(
    "after",
    "\nA password is asked for on the terminal. With TILED_FORCE_PROMPT=1 it is read as a line of stdin, after the user name.\nA login in a browser works without a terminal, too. $BROWSER names the browser to open. Over SSH none is opened.",
  );
  describe(login, {
    examples: ["tiled login https://tiled.example.org", "tiled login --provider pam --username alice"],
    exitCodes: ["4 a person has to be asked, and there is no terminal"],
  });
}
