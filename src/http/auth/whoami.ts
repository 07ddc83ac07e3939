/** `GET /auth/whoami`: the caller's principal with identities, roles, API keys and sessions; `null` for anonymous. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isKnown } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
import { bytesOf } from "../../lib/size.ts";
import { Caller } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { answer, answerEncoded, Document, type Encoded, encode, type Format, formatFor } from "../answer.ts";
import type { AuthServices } from "./services.ts";
import { principalView } from "./views.ts";

const ANONYMOUS = new Document(null);
/** Memory for answers in msgpack, which few clients ask for. */
const MSGPACK_BYTES = 8_000_000;

export function whoamiRoute(app: FastifyInstance, services: AuthServices): void {
  // A principal's answer is encoded once, and the text is all that is kept of it.
  const encodedAs = (format: Format, maxBytes?: number) =>
    services.principalCache.views(
      (principal) => encode(principalView(principal, services.activity), format),
      bytesOf,
      maxBytes,
    );
  const views = { json: encodedAs("json"), msgpack: encodedAs("msgpack", MSGPACK_BYTES) };
  const send = (request: FastifyRequest, reply: FastifyReply, format: Format, found: Encoded | undefined) => {
    if (found === undefined) throw new Failure("no_principal");
    answerEncoded(request, reply, found, format, { noStore: true });
  };

  app.get(
    "/api/v1/auth/whoami",
    {
      config: { access: "optional" },
      schema: {
        tags: ["principal"],
        operationId: "whoami",
        summary: "Who am I?",
        response: { 200: Caller, ...refusals(401) },
      },
    },
    (request, reply) => {
      const { caller } = request;
      if (!isKnown(caller)) {
        answer(request, reply, ANONYMOUS, { noStore: true });
        return undefined;
      }
      const format = formatFor(request);
      const view = views[format].get(caller.principal.uuid);
      if (view instanceof Promise) return view.then((found) => send(request, reply, format, found));
      // Returning the reply would make Fastify wait for it as for a promise.
      send(request, reply, format, view);
      return undefined;
    },
  );
}
