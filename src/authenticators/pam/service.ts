/**
 * The service file of PAM (pam.conf(5)): whether libpam would find the one that is configured. Where it does not,
 * it silently takes the service `other`, which may let in others than the operator meant.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where libpam looks, in its order; `single` counts only where none of the folders exists. */
export interface PamPlaces {
  readonly folders: readonly string[];
  readonly single: string;
}

export const PAM_PLACES: PamPlaces = {
  folders: ["/etc/pam.d", "/usr/lib/pam.d"],
  single: "/etc/pam.conf",
};

/** What is wrong with the service, as a sentence; undefined where nothing is. */
export async function serviceProblem(service: string, places = PAM_PLACES): Promise<string | undefined> {
  if (!/^[^/\0]+$/.test(service) || service === "." || service === "..") {
    return "it is no name of a PAM service: write the name of a file in /etc/pam.d, without a folder.";
  }
  // libpam looks for the name in lower case.
  const name = service.toLowerCase();
  const folders = await present(places.folders);
  if (folders.length === 0) return problemOfSingle(name, places.single);
  const tried: string[] = [];
  for (const folder of folders) {
    const file = join(folder, name);
    const text = await read(file);
    if (typeof text === "string")
      return missingRules(text, /^\s*(?:@include|-?auth)\s/im, /^\s*(?:@include|-?account)\s/im, file);
    tried.push(`${file} (${text.reason})`);
  }
  return `PAM has no service of this name here. Looked for: ${tried.join(", ")}. Write such a file, or name another service.`;
}

async function problemOfSingle(name: string, file: string): Promise<string | undefined> {
  const text = await read(file);
  if (typeof text !== "string") {
    return `PAM is not set up on this machine: there is neither /etc/pam.d nor ${file} (${text.reason}).`;
  }
  const rules = text.split("\n").filter((line) => line.trim().toLowerCase().split(/\s+/)[0] === name);
  if (rules.length === 0) return `${file} has no lines for a service of this name.`;
  return missingRules(rules.join("\n"), /^\s*\S+\s+-?auth\s/im, /^\s*\S+\s+-?account\s/im, file);
}

/** For a kind of rule that a service does not have, libpam takes those of `other` too. */
function missingRules(text: string, auth: RegExp, account: RegExp, file: string): string | undefined {
  const missing = [auth.test(text) ? [] : ["auth"], account.test(text) ? [] : ["account"]].flat();
  if (missing.length === 0) return undefined;
  return `${file} has no ${missing.join(" and no ")} line: libpam would take those of the service "other".`;
}

async function read(file: string): Promise<string | { readonly reason: string }> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { reason: code === "ENOENT" ? "no such file" : `cannot be read: ${code}` };
  }
}

async function present(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const isFolder = await stat(folder).then(
      (status) => status.isDirectory(),
      () => false,
    );
    if (isFolder) found.push(folder);
  }
  return found;
}
