/**
 * Addresses that are for opening, not for being loaded by a page: an image, a frame or a script of another site begins
 * and ends no login (Fetch Metadata). A program, and a browser that says nothing of itself, is not held up.
 */
import type { onRequestHookHandler } from "fastify";
import { Failure } from "../../errors.ts";

/** Before anything is done for the request, so that one that is refused costs and counts nothing. */
export const requireNavigation: onRequestHookHandler = ({ headers }, _reply, done) => {
  const { "sec-fetch-mode": mode = "navigate", "sec-fetch-dest": dest } = headers;
  // A program's `fetch` names the mode alone, and it is always `cors`.
  const isProgram = dest === undefined && mode === "cors" && headers["sec-fetch-site"] === undefined;
  if (isProgram || (mode === "navigate" && (dest ?? "document") === "document")) done();
  else {
    done(
      new Failure("forbidden", {
        detail: "This address is for a browser to open. A page cannot load it as an image, a frame or data.",
      }),
    );
  }
};
