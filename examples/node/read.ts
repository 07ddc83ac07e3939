/**
 * Prints shape, mean and range of an array on a Tiled server, as a person or as a program.
 *
 *     node read.ts http://127.0.0.1:8000 A
 */
import { type Context, fromUri } from "tiled-auth/client";

type Nested = number | Nested[];

const [address = "http://127.0.0.1:8000", path = "A"] = process.argv.slice(2);

try {
  // The key in TILED_API_KEY; else the login on disk, which the Python client shares; else a login on this terminal.
  const context = await fromUri(address);
  const principal = await context.whoami();
  console.log(`caller ${principal?.identities[0]?.id ?? principal?.uuid ?? "anonymous"}`);
  const values = await read(context, `array/full/${path}?format=application/json`);
  const numbers = flatten(values);
  console.log(`shape  ${shapeOf(values).join(" × ")}`);
  console.log(`mean   ${numbers.reduce((a, b) => a + b, 0) / numbers.length}`);
  console.log(
    `range  ${numbers.reduce((a, b) => Math.min(a, b))} to ${numbers.reduce((a, b) => Math.max(a, b))}`,
  );
} catch (error) {
  // Errors of the library also have `code`, `status` and `requestId`.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** `context.fetch` is `fetch` with the caller's credentials. It refreshes the login, and hands back any status. */
async function read(context: Context, where: string): Promise<Nested> {
  const response = await context.fetch(where, { signal: AbortSignal.timeout(60_000) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Nested;
}

function shapeOf(values: Nested): number[] {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0] ?? 0)] : [];
}

function flatten(values: Nested): number[] {
  return Array.isArray(values) ? values.flatMap(flatten) : [values];
}
