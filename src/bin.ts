#!/usr/bin/env node
/**
 * The file behind the command `tiled`. Old versions of Node.js fail with an unhelpful SyntaxError, so the
 * version is checked first. The command itself is in `command.ts`.
 */
import { keepCompiledCode } from "./lib/compile-cache.ts";
import { keepHeapSmall } from "./lib/heap-growth.ts";
import { tooOld } from "./lib/node-version.ts";

const problem = tooOld(process.versions.node, process.execPath);
if (problem === null) {
  keepHeapSmall();
  // A start from the sources is one of development: they change too often.
  if (import.meta.url.endsWith(".js")) keepCompiledCode();
  await import("./command.ts");
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
