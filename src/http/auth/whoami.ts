/** `GET /auth/whoami`: the caller's principal with identities, roles, API keys and sessions; `null` for anonymous. */
import type { FastifyInstance } from "fastify";
import { isKnown } from "../../domain/model/caller.ts";
import type { PrincipalDocument } from "../../domain/model/entities.ts";
import { Failure } from "../../errors.ts";
import { Caller } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { answer, Document } from "../answer.ts";
import type { AuthServices } from "./services.ts";
import { principalView } from "./views.ts";

const ANONYMOUS = new Document(null);

export function whoamiRoute(app: FastifyInstance, services: AuthServices): void {
  // A principal's answer is encoded once for as long as its document is cached.
  const encoded = new WeakMap<PrincipalDocument, Document>();
  const encode = (principal: PrincipalDocument | undefined): Document => {
    if (principal === undefined) throw new Failure("no_principal");
    const known = encoded.get(principal);
    if (known !== undefined) return known;
    const document = new Document(principalView(principal, services.activity));
    encoded.set(principal, document);
    return document;
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
      if (!isKnown(caller)) return answer(request, reply, ANONYMOUS, { noStore: true });
      const principal = services.principalCache.document(caller.principal.uuid);
      if (principal instanceof Promise) {
        return principal.then((found) => answer(request, reply, encode(found), { noStore: true }));
      }
      return answer(request, reply, encode(principal), { noStore: true });
    },
  );
}
