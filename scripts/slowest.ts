/**
 * Reports the slowest test files, from the events of node:test.
 */
import { relative } from "node:path";
import type { run } from "node:test";

const SHOWN = 15;

/** Starts listening; the result returns the report. */
export function slowest(events: ReturnType<typeof run>, root: string): () => string {
  /** Milliseconds of files with their own process. */
  const files = new Map<string, number>();
  /** Milliseconds of files that share a process: the sum of their top-level tests. */
  const parts = new Map<string, number>();
  const add = (test: { file?: string; nesting: number; details: { duration_ms: number } }) => {
    const { file, nesting, details } = test;
    if (file?.endsWith(".test.ts") && nesting === 0)
      parts.set(file, (parts.get(file) ?? 0) + details.duration_ms);
  };
  events.on("test:pass", add);
  events.on("test:fail", add);
  events.on("test:summary", ({ file, duration_ms }) => {
    if (file?.endsWith(".test.ts")) files.set(file, duration_ms);
  });
  return () => {
    const all = [...new Map([...parts, ...files])].sort(([, a], [, b]) => b - a);
    const lines = all
      .slice(0, SHOWN)
      .map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${relative(root, file)}`);
    return `The slowest files of ${all.length}:\n${lines.join("\n")}`;
  };
}
