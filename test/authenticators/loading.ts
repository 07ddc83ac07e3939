/**
 * What the tests of the loader share: entries of a configuration, and a folder to load an operator's modules from.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAuthenticators } from "../../src/authenticators/load.ts";
import type { PasswordAuthenticator } from "../../src/domain/ports/authenticator.ts";
import { OperatorError } from "../../src/errors.ts";
import type { ProviderEntry } from "../../src/plugins/entries.ts";

export const folder = mkdtempSync(join(tmpdir(), "load-"));
writeFileSync(join(folder, "package.json"), '{"type": "module"}');
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

export function provider(
  authenticator: string,
  args: Record<string, unknown> = {},
  name = "lab",
  index = 0,
): ProviderEntry {
  const place = { file: "config.yml", line: 3 + index, path: `authentication.providers[${index}]` };
  return { provider: name, authenticator, args, place };
}

export async function load(
  ...providers: ProviderEntry[]
): Promise<ReadonlyMap<string, PasswordAuthenticator>> {
  const all = await loadAuthenticators({ providers, directory: folder, warn: () => undefined });
  const made = new Map<string, PasswordAuthenticator>();
  for (const [name, one] of all) if (one.kind === "password") made.set(name, one);
  return made;
}

/** The message of the error that stops the start. */
export async function refusal(...providers: ProviderEntry[]): Promise<string> {
  const error = await load(...providers).then(
    () => assert.fail("it was loaded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OperatorError, String(error));
  assert.equal(error.exitCode, 1);
  return error.message;
}
