/**
 * Requests whose answers are read as they come: `fetch` decodes bodies, follows redirects and knows no reason phrases.
 */
import { once } from "node:events";
import { type IncomingMessage, type RequestOptions, request as send } from "node:http";

/** A request whose answer is read as it comes. */
export async function ask(
  url: string,
  options: RequestOptions,
  body?: string | Buffer,
): Promise<IncomingMessage> {
  const request = send(url, options);
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

export async function readText(response: IncomingMessage): Promise<string> {
  let whole = "";
  for await (const part of response.setEncoding("latin1")) whole += part;
  return whole;
}
