/** `tiled login`, `logout` and `whoami` against our server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../../support/folders.ts";
import { startOurs } from "../../support/ours.ts";
import { tiled } from "../../support/terminal.ts";
import { toy } from "../../support/toy.ts";

test("whoami without a login", async (t) => {
  const cleanup = t.after.bind(t);
  const { url } = await startOurs(cleanup, toy());
  const home = await temporaryFolder(cleanup);
  assert.deepEqual(await tiled(["whoami", "--url", url], { HOME: home }), {
    code: 0,
    stdout: "Not authenticated.\n",
    stderr: "",
  });
});
