/**
 * `tiled init`: answers from options, questions and defaults; the files; and what to do next.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { OperatorError } from "../../errors.ts";
import { shownPath } from "../console/shell.ts";
import { canAsk, type Terminal } from "../console/terminal.ts";
import {
  type Address,
  type Answers,
  addressOf,
  databaseOf,
  dataOf,
  hasLogins,
  type Provider,
  adminOf as parseAdmin,
  providerOf,
  type Who,
  WrongAnswer,
  whoOf,
} from "./answers.ts";
import { newConfiguration, secretsFileOf } from "./configuration.ts";
import { nextSteps } from "./next-steps.ts";
import { ask, QUESTIONS, type Question } from "./questions.ts";
import { refuseExisting, writeAll } from "./write.ts";

/** Of the command line: texts that are read as answers are. */
export interface InitOptions {
  readonly who?: string;
  readonly provider?: string;
  readonly admin?: string;
  readonly data?: string;
  readonly address?: string;
  readonly database?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
}

const USAGE = 2;

export async function init(name: string, options: InitOptions, terminal: Terminal): Promise<void> {
  const file = resolve(name);
  refuseFolders(file);
  const force = options.force === true;
  if (!force) refuseExisting([secretsFileOf(file), file]);
  const answers = await answersOf(options, terminal);
  const { files, variables } = newConfiguration(answers, file);
  writeAll(files, force);
  for (const line of nextSteps({ answers, file, files, variables, command: terminal.command }))
    terminal.out(line);
}

function refuseFolders(file: string): void {
  const folder = dirname(file);
  if (!existsSync(folder)) throw new OperatorError(`There is no folder ${shownPath(folder)}.`);
  if (existsSync(file) && statSync(file).isDirectory())
    throw new OperatorError(
      `${shownPath(file)} is a folder.`,
      USAGE,
      "Name the file to write, such as config.yml.",
    );
  // A name with a line break would end a comment.
  if (secretsFileOf(file) === file || /[$?#\p{Cc}]|:memory:/u.test(file))
    throw new OperatorError(
      `${JSON.stringify(file)} cannot be used: the path has none of $ ? #, and a name ending with .env is that of the secrets.`,
      USAGE,
    );
}

async function answersOf(options: InitOptions, terminal: Terminal): Promise<Answers> {
  // All options first, so that a wrong one is not found after the questions.
  const given = {
    who: optionOf("who", whoOf, options),
    provider: optionOf("provider", providerOf, options),
    admin: optionOf("admin", parseAdmin, options),
    data: optionOf("data", dataOf, options),
    address: optionOf("address", addressOf, options),
    database: optionOf("database", databaseOf, options),
  };
  const take = <Answer>(name: string, question: Question<Answer>, answer: Answer | undefined) => {
    if (answer !== undefined) return answer;
    if (options.yes === true) return question.parse(question.byDefault);
    if (canAsk(terminal)) return ask(question, terminal);
    throw new OperatorError(
      `--${name} is missing, and there is no terminal to ask on.`,
      USAGE,
      `Add --${name}, or --yes for the default of every question.`,
    );
  };
  const who = await take("who", QUESTIONS.who, given.who);
  if (!hasLogins(who)) refuseLoginOptions(who, options);
  const provider = hasLogins(who) ? await take("provider", QUESTIONS.provider, given.provider) : null;
  const data = await take("data", QUESTIONS.data, given.data);
  const address = await take("address", QUESTIONS.address, given.address);
  if (provider === null) return { who, data, address, logins: null };
  const database = await take("database", QUESTIONS.database, given.database);
  const admin = given.admin ?? adminOf(provider, terminal);
  return { who, data, address: registrable(address, provider), logins: { provider, database, admin } };
}

/** Google accepts `localhost`, but no other address without HTTPS. */
function registrable(address: Address, { kind }: Provider): Address {
  if (address.kind !== "local" || kind !== "google") return address;
  return { ...address, url: address.url.replace("127.0.0.1", "localhost") };
}

function refuseLoginOptions(who: Who, options: InitOptions): void {
  for (const name of ["provider", "admin", "database"] as const)
    if (options[name] !== undefined)
      throw new OperatorError(
        `--${name} is for logins, which a server with --who ${who} has not.`,
        USAGE,
        "Use --who private or --who mixed.",
      );
}

function optionOf<Answer>(
  name: keyof Omit<InitOptions, "yes" | "force">,
  parse: (text: string) => Answer,
  options: InitOptions,
): Answer | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof WrongAnswer ? new WrongAnswer(`--${name}: ${error.message}`) : error;
  }
}

/** A person's name on this machine, but an ID at another provider is known only after a login. */
function adminOf({ kind }: Provider, { env }: Terminal): string | null {
  const user = [env["USER"], env["LOGNAME"], env["USERNAME"]].find((name) =>
    /^[a-z_][\w.-]*$/i.test(name ?? ""),
  );
  if (kind === "pam") return user ?? null;
  if (kind === "passwords") return user === undefined || user === "root" ? "admin" : user;
  return null;
}
