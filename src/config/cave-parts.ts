/**
 * The parts of the section `cave` that need no other section: ids that nothing else has, tables that belong to one dataset,
 * and terms of service with their files.
 */
import { resolve } from "node:path";
import type { CaveTerms } from "../domain/model/cave.ts";
import { readText } from "../yaml/files.ts";
import { formatProblem } from "../yaml/formats.ts";
import { at, isNothing, type Path, pathText } from "../yaml/located.ts";
import { Problems } from "../yaml/problems.ts";
import type { Context } from "./context.ts";
import { FORMATS } from "./formats.ts";
import { isNoFile } from "./source.ts";

type Numbered = "groups" | "datasets" | "tos";

/** Reports invalid names, and ids that are missing or given twice. */
export function checkNumbers(context: Context, key: Numbered): void {
  const path = ["cave", key];
  const taken = new Map<number, string>();
  for (const [name, entry] of entriesOf(context.value.cave?.[key])) {
    const wrong = formatProblem(FORMATS["cave-name"], name);
    if (wrong !== undefined) context.keyProblem([...path, name], wrong);
    const place = [...path, name, "id"];
    if (at(context.root, place) === undefined) {
      context.problem(
        place,
        `this key is missing. Use a whole number from 1 that no other entry of cave.${key} has. Clients keep it, so never change it.`,
      );
    }
    if (entry.id === undefined) continue;
    const before = taken.get(entry.id);
    if (before === undefined) taken.set(entry.id, name);
    else {
      context.problem(
        place,
        `${pathText([...path, before])} has the id ${entry.id} already. Give each entry an id of its own.`,
      );
    }
  }
}

/** Reports tables that belong to two datasets: which one decides would be left to chance. */
export function checkTables(context: Context): void {
  const taken = new Map<string, Map<string, string>>();
  for (const [dataset, { tables }] of entriesOf(context.value.cave?.datasets)) {
    for (const [namespace, names] of entriesOf(tables)) {
      const path = ["cave", "datasets", dataset, "tables", namespace];
      const wrong = formatProblem(FORMATS["cave-name"], namespace);
      if (wrong !== undefined) context.keyProblem(path, wrong);
      const here = taken.get(namespace) ?? new Map<string, string>();
      taken.set(namespace, here);
      for (const [index, table] of names.entries()) {
        if (table === undefined) continue;
        const other = here.get(table);
        if (other === undefined) here.set(table, dataset);
        else if (other !== dataset) {
          const place = pathText(["cave", "datasets", other]);
          context.problem(
            [...path, index],
            `this table belongs to ${place} already. A table has one dataset.`,
          );
        }
      }
    }
  }
}

export function termsOf(context: Context, directory: string): readonly CaveTerms[] {
  return entriesOf(context.value.cave?.tos).flatMap(([name, given]) => {
    const path = ["cave", "tos", name];
    const has = (key: string) => {
      const node = at(context.root, [...path, key]);
      return node !== undefined && !isNothing(node);
    };
    if (has("text") === has("file")) {
      const found = has("text") ? "both 'text' and 'file'" : "neither 'text' nor 'file'";
      context.problem(path, `there is ${found}. Give the terms in one of them.`);
      return [];
    }
    const text =
      given.file == null ? given.text : termsFile(context, [...path, "file"], resolve(directory, given.file));
    return given.id === undefined || text == null ? [] : [{ id: given.id, name, text }];
  });
}

/** Undefined, with a problem, if it cannot be read or is empty. */
function termsFile(context: Context, path: Path, file: string): string | undefined {
  context.files.push(file);
  const found = new Problems();
  // A pipe would have to be waited for.
  const text = isNoFile(file) ? undefined : readText(file, found);
  const [problem] = found.all;
  if (text !== undefined && text.trim() !== "") return text;
  const why =
    text === undefined
      ? (problem?.message ?? "this is not a file")
      : "the file is empty: there are no terms in it";
  const line = problem === undefined || problem.line === 0 ? "" : `, line ${problem.line}`;
  context.problem(path, `${context.shown(path, "the file")}${line}: ${why}`);
  return undefined;
}

/** The entries of a mapping that could be read. */
export function entriesOf<Value>(
  given: Readonly<Record<string, Value>> | null | undefined,
): readonly (readonly [name: string, value: NonNullable<Value>])[] {
  return Object.entries(given ?? {}).flatMap(([name, value]) => (value == null ? [] : [[name, value]]));
}
