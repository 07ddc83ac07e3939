/**
 * Builds `dist/`: the bundle, its SBOM and licences, and the type declarations from the compiler. Run by `npm run build`.
 */
import { execFileSync } from "node:child_process";
import { glob, readFile, rm, writeFile } from "node:fs/promises";
import { billOf, licencesOf } from "./bill.ts";
import { bundle, packagesIn } from "./bundle.ts";

await rm("dist", { recursive: true, force: true });
const bundled = packagesIn(await bundle());
for await (const file of glob("dist/**/*.js")) await writeFile(file, inAscii(await readFile(file, "utf8")));
await writeFile("dist/bundle.cdx.json", `${JSON.stringify(billOf(bundled), null, 2)}\n`);
await writeFile("dist/THIRD-PARTY-LICENSES.txt", licencesOf(bundled));
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});

/**
 * V8 keeps two bytes for each character of a file that has one beyond Latin-1. esbuild escapes them in strings only; regular
 * expressions and templates take the same escapes.
 */
function inAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
