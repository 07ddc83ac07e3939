import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serviceProblem } from "../../../src/authenticators/pam/service.ts";

let root: string;
let both: { folders: string[]; single: string };

before(async () => {
  root = await mkdtemp(join(tmpdir(), "pam-"));
  both = { folders: [join(root, "etc"), join(root, "usr")], single: join(root, "pam.conf") };
  for (const folder of both.folders) await mkdir(folder);
  await writeFile(
    both.single,
    "# services\nlogin auth required pam_unix.so\nLOGIN account required pam_unix.so\nhalf auth required pam_unix.so\n",
  );
  await writeFile(join(root, "etc/login"), "auth required pam_unix.so\naccount required pam_unix.so\n");
  await writeFile(join(root, "etc/common"), "@include common-auth\n");
  await writeFile(
    join(root, "etc/bracket"),
    "-AUTH [success=1 default=ignore] pam_unix.so\n\taccount include common\n",
  );
  await writeFile(join(root, "usr/vendor"), "auth include common\naccount include common\n");
  await writeFile(join(root, "etc/half"), "# auth required pam_unix.so\naccount required pam_unix.so\n");
  await writeFile(join(root, "usr/half"), "auth required pam_unix.so\naccount required pam_unix.so\n");
  await writeFile(join(root, "etc/empty"), "");
  await mkdir(join(root, "etc/folder"));
});
after(() => rm(root, { recursive: true, force: true }));

test("a service with its rules, in either folder, in any case", async () => {
  for (const name of ["login", "Login", "common", "bracket", "vendor"])
    assert.equal(await serviceProblem(name, both), undefined, name);
});

test("a service that is nowhere: the places are named", async () => {
  const problem = await serviceProblem("Gone", both);
  assert.match(
    problem ?? "",
    new RegExp(`${root}/etc/gone \\(no such file\\), ${root}/usr/gone \\(no such file\\)`),
  );
  assert.match((await serviceProblem("folder", both)) ?? "", /etc\/folder \(cannot be read: EISDIR\)/);
});

test("pam.conf does not count where a folder exists", async () => {
  const onlyVendor = { folders: [join(root, "gone"), join(root, "usr")], single: both.single };
  assert.match((await serviceProblem("login", onlyVendor)) ?? "", /no service of this name/);
  const single = { folders: [join(root, "gone")], single: both.single };
  assert.equal(await serviceProblem("login", single), undefined);
  assert.match((await serviceProblem("half", single)) ?? "", /no account line/);
  assert.match((await serviceProblem("other", single)) ?? "", /no lines for a service of this name/);
  assert.match((await serviceProblem("login", { folders: [], single: "/gone" })) ?? "", /PAM is not set up/);
});

test("rules that are missing would be those of 'other'; the first file counts, as for libpam", async () => {
  assert.match((await serviceProblem("half", both)) ?? "", /etc\/half has no auth line/);
  assert.match((await serviceProblem("empty", both)) ?? "", /etc\/empty has no auth and no account line/);
});

test("a name that is a path is refused", async () => {
  for (const name of ["../etc/login", "/etc/pam.d/login", "etc/", ".", "..", "a\0b", ""]) {
    assert.match((await serviceProblem(name, both)) ?? "", /not the name of a PAM service/, name);
  }
});

test("a file that may not be read", async () => {
  await writeFile(join(root, "etc/secret"), "auth required pam_unix.so\naccount required pam_unix.so\n");
  await chmod(join(root, "etc/secret"), 0);
  await chmod(root, 0o755);
  // Root may read every file.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.("nobody");
  const problem = await serviceProblem("secret", both).finally(() => isRoot && process.seteuid?.(0));
  assert.match(problem ?? "", /etc\/secret \(cannot be read: EACCES\)/);
});
