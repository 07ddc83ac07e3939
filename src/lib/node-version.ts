/**
 * Whether this Node.js can run the program: the least version of `engines` in package.json, which npm only warns about. It must
 * load in an old one, so it imports nothing.
 */
const LEAST = { major: 22, minor: 18 };

/** What to tell the operator, or null. */
export function tooOld(version: string, path: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)) return null;
  return (
    `tiled-auth needs Node.js ${LEAST.major}.${LEAST.minor} or newer; ${path} is ${version}. ` +
    "Install a newer one, or run 'npx tiled' in the folder of tiled-auth, where 'npm ci' has put one."
  );
}
