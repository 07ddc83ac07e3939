/** A program that needs a login: log-in.ts CLIENT URL [forget]. Prints the user, or the code of the error. */
const [, , client = "", url, forget] = process.argv;
const { fromUri } = await import(client);
try {
  const context = await fromUri(url);
  console.log((await context.whoami()).identities[0].id);
  if (forget) await context.logout();
} catch (error) {
  console.log((error as { readonly code?: string }).code ?? String(error));
}
