/**
 * Checks the version of Node.js against `engines` in package.json, about which npm only warns. It must load in old versions,
 * so it imports nothing.
 */
const LEAST = { major: 22, minor: 18 };

/** A message for the operator; null if the version is new enough. */
export function tooOld(version: string, path: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)) return null;
  return (
    `tiled-auth needs Node.js ${LEAST.major}.${LEAST.minor} or newer; ${path} is ${version}. ` +
    "Install a newer one. In a clone, 'npm ci' installs one, and './tiled' uses it."
  );
}
