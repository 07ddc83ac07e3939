import assert from "node:assert/strict";
import { test } from "node:test";
import { progressOn } from "../../../src/cli/console/progress.ts";
import { TestTerminal } from "../../support/terminal.ts";

class Screen extends TestTerminal {
  override readonly errView = { terminal: true, colours: false };
  override readonly columns = 20;
}

test("on a terminal the status line replaces itself, turns, and is taken back", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const screen = new Screen();
  const progress = progressOn(screen);
  progress.set("Waiting");
  assert.equal(screen.stderr, "\r\u001b[K⠋ Waiting");
  progress.set("Waiting");
  context.mock.timers.tick(80);
  progress.set("Retrying");
  progress.clear();
  assert.equal(screen.stderr, "\r\u001b[K⠋ Waiting\r\u001b[K⠙ Waiting\r\u001b[K⠹ Retrying\r\u001b[K");
  const before = screen.stderr;
  progress.clear();
  context.mock.timers.tick(800);
  assert.equal(screen.stderr, before, "nothing turns after its end");
});

test("a status line has no control characters and fits into one line", () => {
  const screen = new Screen();
  const progress = progressOn(screen);
  progress.set("\u001b[2J and more than fits");
  progress.clear();
  assert.equal(screen.stderr, "\r\u001b[K⠋ \\u{1b}[2J and mor\r\u001b[K");
});

test("nothing is written where stderr is no terminal, or one that cannot move the cursor", () => {
  for (const terminal of [new TestTerminal(), new Screen({ TERM: "dumb" })]) {
    const progress = progressOn(terminal);
    progress.set("Waiting");
    progress.clear();
    assert.equal(terminal.stderr, "");
  }
});
