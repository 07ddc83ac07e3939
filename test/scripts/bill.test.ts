import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { billOf, licencesOf } from "../../scripts/bill.ts";
import { bundle, packageAt, packagesIn } from "../../scripts/bundle.ts";

const metafile = await bundle({ write: false });
const bundled = packagesIn(metafile);
const bill = billOf(bundled);
const ids = bill.components.map(({ name, version }) => `${name}@${version}`);

const folder = mkdtempSync(join(tmpdir(), "tiled-auth-bill-"));
after(() => rmSync(folder, { recursive: true }));

test("the bill of materials names exactly what esbuild put into the bundle", () => {
  const written = new Set<string>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const [, inside] = path.split("node_modules/");
      if (inside === undefined || bytesInOutput === 0) continue;
      const name = inside.split("/", inside.startsWith("@") ? 2 : 1).join("/");
      written.add(`${name}@${packageAt(`node_modules/${name}`).version}`);
    }
  }
  assert.ok(written.size > 5, "the bundle holds packages");
  assert.deepEqual([...ids].sort(), [...written].sort());
});

test("each of them is pinned exactly in package.json, so that audits of an installation see what runs", () => {
  const { dependencies } = packageAt(".");
  for (const { name, version } of bundled) {
    assert.equal(dependencies[name], version, `package.json: "${name}": "${version}"`);
  }
});

test("each is listed with its licence and the hash of the lockfile", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Readonly<Record<string, { readonly integrity: string }>>;
  };
  for (const { name, licenses, hashes } of bill.components) {
    assert.ok(licenses?.[0]?.license?.id ?? licenses?.[0]?.expression, name);
    const [hash] = hashes ?? [];
    assert.equal(hash?.alg, "SHA-512", name);
    const integrity = `sha512-${Buffer.from(hash?.content ?? "", "hex").toString("base64")}`;
    assert.equal(integrity, packages[`node_modules/${name}`]?.integrity, name);
  }
});

test("the bill names this program and is the same each time", () => {
  const { name, version } = packageAt(".");
  assert.equal(bill.metadata.component.name, name);
  assert.equal(bill.metadata.component.version, version);
  assert.deepEqual(billOf(bundled), bill);
  for (const key of ["serialNumber", "timestamp"]) assert.ok(!JSON.stringify(bill).includes(key), key);
});

test("every licence text is shipped", () => {
  const text = licencesOf(bundled);
  for (const { name, version, folder: installed } of bundled) {
    assert.ok(text.includes(`\n${name} ${version}\n`), name);
    const { license } = JSON.parse(readFileSync(`${installed}/package.json`, "utf8")) as { license: string };
    assert.match(license, /^(MIT|ISC|BSD-[23]-Clause)$/, `${name}: read what ${license} asks for`);
  }
});

test("a package without a licence text, or other than in the lockfile, is not bundled", () => {
  writeFileSync(join(folder, "package.json"), "{}");
  assert.throws(() => licencesOf([{ name: "ajv", version: "8.20.0", folder }]), /no licence file/);
  assert.throws(() => billOf([{ name: "ajv", version: "0.0.1", folder }]), /npm ci/);
});
