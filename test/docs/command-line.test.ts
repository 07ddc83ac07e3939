/** The examples of docs/how-to/command-line.md print what the page shows. */
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startOurs } from "../support/ours.ts";
import { PASSWORDS, toy } from "../support/toy.ts";
import { assertConsole } from "./console.ts";

test("the examples of the command line's guide", { timeout: 120_000 }, async (t) => {
  const page = await readFile(new URL("../../docs/how-to/command-line.md", import.meta.url), "utf8");
  const { url } = await startOurs(t.after.bind(t), toy());
  await assertConsole(t.after.bind(t), page, {
    shownUrl: "https://tiled.example.org",
    url,
    passwords: PASSWORDS,
  });
});
