/**
 * The five questions of `tiled init`, asked on stderr. Each has an option, a default that Enter takes, and a line for each answer. A
 * wrong answer is asked again.
 */
import { CannotPrompt } from "../../client/errors.ts";
import { askLine } from "../../client/node/terminal.ts";
import { OperatorError } from "../../errors.ts";
import { interruptSignal } from "../client/interrupts.ts";
import { styleOf } from "../console/style.ts";
import type { Terminal } from "../console/terminal.ts";
import { addressOf, databaseOf, dataOf, providerOf, WrongAnswer, whoOf } from "./answers.ts";

export interface Question<Answer> {
  readonly text: string;
  /** A word or a form, and what it means. A number stands for the word. */
  readonly choices: readonly (readonly [answer: string, meaning: string])[];
  /** The text that Enter stands for. */
  readonly byDefault: string;
  readonly parse: (text: string) => Answer;
}

export const QUESTIONS = {
  who: {
    text: "Who may use the server?",
    choices: [
      ["single-user", "one person or program, with a secret key"],
      ["public", "everyone may read, without a login"],
      ["private", "people who log in"],
      ["mixed", "everyone for one part of the data, people who log in for the rest"],
    ],
    byDefault: "private",
    parse: whoOf,
  },
  provider: {
    text: "How do people log in?",
    choices: [
      ["passwords", "with passwords in a file beside the configuration: for trials"],
      ["pam", "with the accounts of this machine"],
      ["orcid", "at ORCID"],
      ["google", "at Google"],
      ["https://…", "at another OpenID Connect provider, such as a Keycloak: its address"],
    ],
    byDefault: "passwords",
    parse: providerOf,
  },
  data: {
    text: "Where is the data?",
    choices: [
      ["example", "none yet: serve example data"],
      ["FOLDER", "CSV and NumPy files in a folder of this machine: its path"],
      ["http://…", "in a Tiled server, which this server is put in front of: its address"],
    ],
    byDefault: "example",
    parse: dataOf,
  },
  address: {
    text: "At which address do people reach the server?",
    choices: [
      ["local", "http://127.0.0.1:8000, from this machine only"],
      ["https://…", "a public name, with HTTPS by a reverse proxy: its address"],
    ],
    byDefault: "local",
    parse: addressOf,
  },
  database: {
    text: "Where are logins and keys stored?",
    choices: [
      ["sqlite", "in a file beside the configuration"],
      ["postgresql", "in a PostgreSQL database: this word, or its address postgresql://USER@HOST:5432/NAME"],
    ],
    byDefault: "sqlite",
    parse: databaseOf,
  },
} as const;

/** Asks until the answer can be used. */
export async function ask<Answer>(question: Question<Answer>, terminal: Terminal): Promise<Answer> {
  const { text, choices, byDefault, parse } = question;
  const { notes, input } = terminal;
  const { bold, dim } = styleOf(terminal.errView);
  const width = Math.max(...choices.map(([answer]) => answer.length));
  const lines = choices.map(([answer, meaning], index) => {
    const start = `  ${index + 1}  ${answer.padEnd(width)}  `;
    const indent = `\n${" ".repeat(start.length)}`;
    return (
      start +
      wrapped(meaning, terminal.columns - start.length)
        .map(dim)
        .join(indent)
    );
  });
  notes.write(`\n${bold(text)}\n${lines.join("\n")}\n`);
  for (;;) {
    const line = await lineOf({ input, output: notes }, `Your answer (Enter: ${byDefault}): `, terminal);
    try {
      return parse(line === "" ? byDefault : numbered(line, choices));
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      notes.write(`${error.message}\n`);
    }
  }
}

/** Lines of whole words. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** The word with this number, or the line itself. A form has to be filled in. */
function numbered(line: string, choices: Question<unknown>["choices"]): string {
  const answer = /^[1-9]$/.test(line) ? choices[Number(line) - 1]?.[0] : undefined;
  if (answer === undefined) return line;
  if (!/^[a-z-]+$/.test(answer))
    throw new WrongAnswer(`Enter the ${answer === "FOLDER" ? "path" : "address"} itself instead of ${line}.`);
  return answer;
}

async function lineOf(
  streams: Parameters<typeof askLine>[0],
  question: string,
  terminal: Terminal,
): Promise<string> {
  const signal = interruptSignal(terminal);
  try {
    return (await askLine(streams, question, { signal })).trim();
  } catch (error) {
    if (signal.aborted) streams.output.write("\nNothing was written.\n");
    if (error instanceof CannotPrompt)
      throw new OperatorError("The input ended before the last question. Nothing was written.", 2);
    throw error;
  }
}
