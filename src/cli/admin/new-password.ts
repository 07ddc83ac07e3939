/** Asks for a new password twice, or reads it from the first line of the input. It is never shown. */
import { CannotPrompt } from "../../client/errors.ts";
import { askLine } from "../../client/node/terminal.ts";
import { OperatorError } from "../../errors.ts";
import { interruptSignal } from "../client/interrupts.ts";
import { canAsk, type Terminal } from "../console/terminal.ts";

export async function newPassword(fromInput: boolean, terminal: Terminal): Promise<string> {
  const { input, notes } = terminal;
  const ask = async (question: string): Promise<string> => {
    try {
      const signal = interruptSignal(terminal);
      return (await askLine({ input, output: notes }, question, { hidden: true, signal })).replace(/\r$/, "");
    } catch (error) {
      if (error instanceof CannotPrompt) throw new OperatorError("The input has no password.");
      throw error;
    }
  };
  if (fromInput) return ask("");
  if (!canAsk(terminal))
    throw new OperatorError("There is no terminal to ask for the password on. Use --password-stdin.");
  const password = await ask("New password: ");
  if ((await ask("The same again: ")) !== password) throw new OperatorError("The two passwords differ.");
  return password;
}
