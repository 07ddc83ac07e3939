/**
 * Builds `dist/`: the bundle, its SBOM and licences, and the type declarations from the compiler. Run by `npm run build`.
 */
import { execFileSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { billOf, licencesOf } from "./bill.ts";
import { bundle, packagesIn } from "./bundle.ts";

await rm("dist", { recursive: true, force: true });
const bundled = packagesIn(await bundle());
await writeFile("dist/bundle.cdx.json", `${JSON.stringify(billOf(bundled), null, 2)}\n`);
await writeFile("dist/THIRD-PARTY-LICENSES.txt", licencesOf(bundled));
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
