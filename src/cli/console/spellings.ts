/**
 * Verbs whose names have more than one word are understood with dashes and with underscores: `api_key` and `api-key`.
 */
import type { Command } from "commander";

/** Gives each verb below `command` its other spelling, which help does not show. */
export function acceptBothSpellings(command: Command): void {
  for (const verb of command.commands) {
    const name = verb.name();
    const other = name.includes("_") ? name.replaceAll("_", "-") : name.replaceAll("-", "_");
    if (other !== name && !verb.aliases().includes(other)) verb.alias(other);
    acceptBothSpellings(verb);
  }
}
