/**
 * Makes the SBOM of the bundle (CycloneDX, by `npm sbom` from the lockfile) and the file with the text of every licence. Both
 * are reproducible: no time, no random serial number.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundled, packageAt } from "./bundle.ts";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly {
    readonly license?: { readonly id?: string; readonly name?: string };
    readonly expression?: string;
  }[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

export interface Bill {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** The SBOM of the bundle only: packages outside it have their own package.json in `node_modules`. */
export function billOf(bundled: readonly Bundled[]): Bill {
  const { serialNumber: _, ...all } = everything();
  const { timestamp: __, component, ...metadata } = all.metadata;
  const components = bundled.map(({ name, version, folder }) => {
    const found = all.components.find((each) => each.name === name && each.version === version);
    if (found === undefined) throw new Error(`${folder} is not as in the lockfile: run npm ci.`);
    if (!found.licenses?.length)
      throw new Error(`${folder} names no licence: read what it allows before it is bundled.`);
    return found;
  });
  const refs = new Set([component, ...components].map((each) => each["bom-ref"]));
  const dependencies = all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) }));
  // npm takes the name of the folder.
  return {
    ...all,
    metadata: { ...metadata, component: { ...component, name: packageAt(".").name } },
    components,
    dependencies,
  };
}

/** Every licence and notice of the bundled packages, as MIT, ISC and BSD require. */
export function licencesOf(bundled: readonly Bundled[]): string {
  const texts = bundled.map(({ name, version, folder }) => {
    const files = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
      .sort();
    if (files.length === 0) throw new Error(`${folder} has no licence file: its text has to be shipped.`);
    const text = files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
    return `${name} ${version}\n\n${text}\n`;
  });
  return ["The files in dist/ contain code of these packages.\n", ...texts].join(`\n${"-".repeat(80)}\n\n`);
}

interface Everything extends Bill {
  readonly serialNumber: string;
  readonly metadata: Bill["metadata"] & { readonly timestamp: string };
}

function everything(): Everything {
  const args = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=application"];
  return JSON.parse(
    execFileSync("npm", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }),
  ) as Everything;
}
