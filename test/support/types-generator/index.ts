/** TypeScript types from an OpenAPI document, by openapi-typescript as its users run it. */
import openapiTS, { astToString } from "openapi-typescript";

export async function typesOf(document: URL): Promise<string> {
  return astToString(await openapiTS(document));
}
