/** Names of new accounts. Imported ones keep the name that they had. */
const NAME = /^[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?$/;

export const NAME_RULE =
  "A name has 1 to 64 of the characters a-z, 0-9, '.', '_', '@', '+' and '-', and begins and ends with a letter or digit.";

export function isNewName(name: string): boolean {
  return NAME.test(name);
}
