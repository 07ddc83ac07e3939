/**
 * What can follow the words of a command line: verbs, options, choices, and names of profiles, from the tree of commander's verbs.
 * Names of files are left to the shell.
 */
import type { Argument, Command, Option } from "commander";

export interface Suggestion {
  readonly value: string;
  readonly description: string;
}

export interface Suggestions {
  readonly values: readonly Suggestion[];
  /** Names that the shell adds. */
  readonly paths: "none" | "files" | "folders";
}

/** The user's profiles, read only where one is expected. */
export type ProfileNames = () => Promise<readonly string[]>;

const NOTHING: Suggestions = { values: [], paths: "none" };

/**
 * @param root - the command itself
 * @param words - those after its name; the last one, which may be empty, is to be completed
 */
export async function suggest(
  root: Command,
  words: readonly string[],
  profiles: ProfileNames,
): Promise<Suggestions> {
  const current = words.at(-1) ?? "";
  const place = placeAfter(root, words.slice(0, -1));
  const found = await expected(root, place, current, profiles);
  return { ...found, values: found.values.filter(({ value }) => value.startsWith(current)) };
}

/** Where in the line the current word stands. */
interface Place {
  readonly verb: Command;
  /** The option whose value the word is. */
  readonly option: Option | null;
  /** Arguments of the verb so far. */
  readonly operands: number;
  /** Whether `--` has ended the options. */
  readonly ended: boolean;
}

function placeAfter(root: Command, words: readonly string[]): Place {
  let place: Place = { verb: root, option: null, operands: 0, ended: false };
  for (const word of words) {
    const { verb, option, operands, ended } = place;
    if (option !== null && !(option.variadic && word.startsWith("-"))) {
      // A variadic option takes every word up to the next option.
      if (!option.variadic) place = { ...place, option: null };
    } else if (!ended && word === "--") place = { ...place, option: null, ended: true };
    else if (!ended && word.startsWith("-")) place = { ...place, option: awaiting(root, verb, word) };
    else {
      const child = ended ? undefined : childOf(verb, word);
      place = child === undefined ? { ...place, operands: operands + 1 } : { ...place, verb: child };
    }
  }
  return place;
}

/** The option that takes the next word as its value. */
function awaiting(root: Command, verb: Command, word: string): Option | null {
  if (word.includes("=")) return null;
  const option = optionsOf(root, verb).find(({ long, short }) => long === word || short === word);
  return option?.required ? option : null;
}

async function expected(
  root: Command,
  { verb, option, operands, ended }: Place,
  current: string,
  profiles: ProfileNames,
): Promise<Suggestions> {
  if (option !== null && !(option.variadic && current.startsWith("-")))
    return await valuesOf(slotOf(option), profiles);
  if (!ended && current.startsWith("-")) {
    const [name = "", value] = current.split("=", 2);
    if (value === undefined) return { values: options(root, verb), paths: "none" };
    const named = awaiting(root, verb, name);
    if (named === null) return NOTHING;
    const found = await valuesOf(slotOf(named), profiles);
    const values = found.values.map((one) => ({ ...one, value: `${name}=${one.value}` }));
    return { ...found, values };
  }
  const shown = verb.createHelp().visibleCommands(verb);
  if (shown.length > 0) return { values: shown.flatMap((child) => verbs(child, current)), paths: "none" };
  const argument = argumentAt(verb, operands);
  if (argument === undefined) return ended ? NOTHING : { values: options(root, verb), paths: "none" };
  const profile = verb.parent?.name() === "profile" && argument.name() === "name";
  return await valuesOf({ name: argument.name(), choices: argument.argChoices, profile }, profiles);
}

/** Where a value is expected: of an option, or an argument. */
interface Slot {
  /** As help shows it, e.g. `file-or-folder`. */
  readonly name: string;
  readonly choices: readonly string[] | undefined;
  readonly profile: boolean;
}

function slotOf({ flags, argChoices, long }: Option): Slot {
  const [, name = ""] = /<([^>]*)>/.exec(flags) ?? [];
  return { name, choices: argChoices, profile: long === "--profile" };
}

async function valuesOf({ name, choices, profile }: Slot, profiles: ProfileNames): Promise<Suggestions> {
  const known = profile ? await profiles() : (choices ?? []);
  const values = known.map((value) => ({ value, description: "" }));
  const paths = name.includes("file") && !profile ? "files" : name.startsWith("folder") ? "folders" : "none";
  return { values, paths };
}

function verbs(verb: Command, current: string): readonly Suggestion[] {
  // The other spelling only where it is the one that was begun.
  const [name = verb.name()] = [verb.name(), ...verb.aliases()].filter((one) => one.startsWith(current));
  return [{ value: name, description: verb.description() }];
}

function options(root: Command, verb: Command): readonly Suggestion[] {
  return optionsOf(root, verb).map(({ long, flags, description }) => ({
    value: long ?? flags,
    // The list of a shell has room for half a line.
    description: description.replace(/ \(default: .*/, ""),
  }));
}

/** `--color` is known everywhere; the version is printed by the command itself. */
function optionsOf(root: Command, verb: Command): readonly Option[] {
  const everywhere = verb === root ? [] : root.options.filter(({ long }) => long === "--color");
  return [...verb.createHelp().visibleOptions(verb), ...everywhere];
}

function childOf(verb: Command, word: string): Command | undefined {
  return verb.commands.find((child) => child.name() === word || child.aliases().includes(word));
}

function argumentAt(verb: Command, index: number): Argument | undefined {
  const all = verb.registeredArguments;
  const last = all.at(-1);
  return all[index] ?? (last?.variadic ? last : undefined);
}
