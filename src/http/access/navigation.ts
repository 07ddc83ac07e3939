/**
 * How a browser loads an address (Fetch Metadata, sections 2.1 and 2.2): a person opens it, or a page loads it as an image, a
 * frame, a script or data. Which page that is stands in `same-origin.ts`.
 */
import type { onRequestHookHandler } from "fastify";
import { Failure } from "../../errors.ts";

/**
 * For addresses that begin or end a login: pages of other sites cannot load them. A program, and a browser that says nothing
 * of itself, may. It runs before anything is done for the request, so that a refused one costs and counts nothing.
 */
export const requireNavigation: onRequestHookHandler = ({ headers }, _reply, done) => {
  const { "sec-fetch-mode": mode = "navigate", "sec-fetch-dest": dest } = headers;
  // Loaded ahead (Fetch standard, 3.5), perhaps because another page says so; it may never be shown.
  const isAhead = String(headers["sec-purpose"] ?? "").startsWith("prefetch");
  // A program's `fetch` names the mode alone, and it is always `cors`.
  const isProgram = dest === undefined && mode === "cors" && headers["sec-fetch-site"] === undefined;
  if (!isAhead && (isProgram || (mode === "navigate" && (dest ?? "document") === "document"))) done();
  else {
    done(
      new Failure("forbidden", {
        detail: "Open this address in a browser. A page cannot load it as an image, a frame or data.",
      }),
    );
  }
};
