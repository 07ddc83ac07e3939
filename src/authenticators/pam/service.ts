/**
 * Whether libpam finds the configured service file (pam.conf(5)). If it does not, it silently uses the service `other`, which may
 * let in users that the operator did not mean.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where libpam looks, in order. `single` counts only if none of the folders exists. */
interface PamPlaces {
  readonly folders: readonly string[];
  readonly single: string;
}

export const PAM_PLACES: PamPlaces = {
  folders: ["/etc/pam.d", "/usr/lib/pam.d"],
  single: "/etc/pam.conf",
};

/** The problem with the service, as a sentence; undefined if it is in order. */
export async function serviceProblem(service: string, places = PAM_PLACES): Promise<string | undefined> {
  if (!/^[^/\0]+$/.test(service) || service === "." || service === "..") {
    return "this is not the name of a PAM service. Use the name of a file in /etc/pam.d, without a folder.";
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
  return `PAM has no service of this name. Looked for: ${tried.join(", ")}. Create one of these files, or use another service.`;
}

async function problemOfSingle(name: string, file: string): Promise<string | undefined> {
  const text = await read(file);
  if (typeof text !== "string") {
    return `PAM is not set up on this machine: neither /etc/pam.d nor ${file} exists (${text.reason}).`;
  }
  const rules = text.split("\n").filter((line) => line.trim().toLowerCase().split(/\s+/)[0] === name);
  if (rules.length === 0) return `${file} has no lines for a service of this name.`;
  return missingRules(rules.join("\n"), /^\s*\S+\s+-?auth\s/im, /^\s*\S+\s+-?account\s/im, file);
}

/** libpam takes missing kinds of rules from `other`. */
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
