/**
 * `tiled completion`, which prints a shell's script, and the hidden verb `complete`, which the scripts call.
 */
import { Argument, type Command } from "commander";
import { commandName } from "../console/command-name.ts";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { whole } from "../console/values.ts";
import { SHELLS, type Shell } from "./words.ts";

export function completionVerbs(tiled: Command, terminal: Terminal): void {
  const name = commandName(terminal);
  const completion = tiled
    .command("completion")
    .description("print a script that completes this command's lines in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText(
      "after",
      `
Completes verbs, options and their values, file names, and the names of your profiles. To install it:

  bash  Add to ~/.bashrc:                          eval "$(${name} completion bash)"
  zsh   Add to ~/.zshrc, after compinit:           eval "$(${name} completion zsh)"
  fish  Add to ~/.config/fish/config.fish:         ${name} completion fish | source

A start of the shell is faster if the script is in a file: ~/.local/share/bash-completion/completions/${name} for bash (with the
package bash-completion), _${name} in a folder of $fpath for zsh, ~/.config/fish/completions/${name}.fish for fish.`,
    )
    .action(async (shell: Shell) => terminal.out((await import("./scripts.ts")).scriptFor(shell, name)));
  describe(completion, {
    examples: [
      "tiled completion bash >> ~/.bash_completion",
      "tiled completion fish > ~/.config/fish/completions/tiled.fish",
    ],
  });

  tiled
    .command("complete", { hidden: true })
    .description("print what can follow the words of a line, for the scripts of 'tiled completion'")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .argument("<index>", "the number of the word to complete", whole)
    .argument("<current>", "this word up to the cursor, after --")
    .argument("[words...]", "the line's words")
    .action(async (shell: Shell, index: number, current: string, words: readonly string[]) => {
      const [{ suggest }, { answerOf, lineOf }] = await Promise.all([
        import("./suggest.ts"),
        import("./words.ts"),
      ]);
      const line = lineOf(shell, words, index, current);
      const found = await suggest(tiled, line.words, () => profileNames(terminal));
      for (const answer of answerOf(shell, found, line.kept)) terminal.out(answer);
    });
}

/** Those that need no quotes in any shell. */
async function profileNames(terminal: Terminal): Promise<readonly string[]> {
  const [{ readProfiles }, { PROFILE_NAME }, { placeOf }] = await Promise.all([
    import("../../client/node/profiles.ts"),
    import("../../client/node/folders.ts"),
    import("../client/server.ts"),
  ]);
  const { profiles } = await readProfiles(placeOf(terminal));
  return [...profiles.keys()].filter((name) => PROFILE_NAME.test(name)).sort();
}
