import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ownCommand } from "../../../src/cli/console/own-command.ts";
import { temporaryFolder } from "../../support/folders.ts";

test("a message names the clone's script, a command on the PATH, or else the program and its file", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  const built = join(folder, "dist/src/bin.js");
  const links = [join(folder, "bin"), join(folder, "node_modules/.bin")] as const;
  for (const path of [join(folder, "dist/src"), ...links]) await mkdir(path, { recursive: true });
  await writeFile(built, "");
  for (const path of links) await symlink(built, join(path, "tiled-auth"));
  const command = (file: string) => ownCommand(["/usr/bin/node", file], `/usr/bin:${links.join(":")}`);

  assert.deepEqual(command(built), ["/usr/bin/node", built]);
  assert.deepEqual(command(join(links[0], "tiled-auth")), ["tiled-auth"]);
  // `npx` puts this folder on the PATH, and the next shell does not have it.
  const local = join(links[1], "tiled-auth");
  assert.deepEqual(command(local), ["/usr/bin/node", local]);
  assert.deepEqual(command(join(folder, "src/bin.ts")), ["/usr/bin/node", join(folder, "src/bin.ts")]);

  await writeFile(join(folder, "tiled"), "#!/bin/sh\n");
  assert.deepEqual(command(built), ["/usr/bin/node", built]);
  await chmod(join(folder, "tiled"), 0o755);
  assert.deepEqual(command(built), [join(folder, "tiled")]);
  assert.deepEqual(command(local), [join(folder, "tiled")]);
});
